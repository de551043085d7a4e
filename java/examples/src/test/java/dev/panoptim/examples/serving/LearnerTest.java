package dev.panoptim.examples.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameters;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The learner's rate and its end.
@Timeout(120)
class LearnerTest {
  private final Ensemble model = new Ensemble(Ensemble.SMALLEST);
  private final Parameters parameters = model.newParameters(1);

  @AfterEach
  void close() {
    parameters.close();
  }

  private Learner learner(double stepsPerSecond, Runnable step) {
    return new Learner(
        model,
        Ensemble.weights(parameters),
        new ModelAccess() {
          @Override
          public Prediction predict(double x) {
            throw new AssertionError("nobody asks");
          }

          @Override
          public void step() {
            step.run();
          }
        },
        stepsPerSecond,
        1);
  }

  @Test
  void itsRateIsNotExceeded() throws InterruptedException {
    CountDownLatch steps = new CountDownLatch(21);
    try (Learner learner = learner(100, steps::countDown)) {
      long start = System.nanoTime();
      learner.start();
      steps.await();
      // 20 pauses of at least 5 ms.
      assertTrue(System.nanoTime() - start >= 100_000_000);
      assertTrue(learner.busyNanos() > 0);
    }
  }

  @Test
  void itEndsDuringAPause() throws InterruptedException {
    AtomicInteger steps = new AtomicInteger();
    CountDownLatch first = new CountDownLatch(1);
    Learner learner =
        learner(
            0.01,
            () -> {
              steps.incrementAndGet();
              first.countDown();
            });
    learner.start();
    first.await();
    learner.close();
    learner.close();
    assertEquals(1, steps.get());
    assertEquals(1, learner.steps());
  }

  @Test
  void itCanBeClosedBeforeItsStart() {
    learner(0, () -> {}).close();
  }

  @Test
  void closingReportsAFailure() throws InterruptedException {
    CountDownLatch failed = new CountDownLatch(1);
    Learner learner =
        learner(
            0,
            () -> {
              failed.countDown();
              throw new IllegalStateException("no memory");
            });
    learner.start();
    failed.await();
    Exception thrown = assertThrows(IllegalStateException.class, learner::close);
    assertEquals("no memory", thrown.getCause().getMessage());
  }
}
