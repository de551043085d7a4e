package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Other threads read, save and close while one thread steps; the steps never fail because of them.
@Timeout(120)
class ExclusiveUseTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  /// An action on another thread, with its result or exception.
  private static final class Running {
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final Thread thread;

    Running(Thread.Builder builder, Runnable action) {
      thread =
          builder.start(
              () -> {
                try {
                  action.run();
                } catch (Throwable e) {
                  failure.set(e);
                }
              });
    }

    Running(Runnable action) {
      this(Thread.ofPlatform(), action);
    }

    Throwable failure() throws InterruptedException {
      assertTrue(thread.join(LONG), "the thread has not ended");
      return failure.get();
    }

    void awaitParked() throws InterruptedException {
      while (thread.getState() != Thread.State.TIMED_WAITING
          && thread.getState() != Thread.State.WAITING) {
        assertTrue(thread.isAlive(), "the thread ended and did not wait");
        Thread.sleep(1);
      }
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /// Starts a thread that reads until a latch is released.
  private static Running readUntil(Optimizer optimizer, CountDownLatch end)
      throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    Running reading =
        new Running(
            () ->
                optimizer.withStateDict(
                    live -> {
                      begun.countDown();
                      await(end);
                      return null;
                    }));
    begun.await();
    return reading;
  }

  @ParameterizedTest
  @ValueSource(strings = {"native", "vector", "scalar"})
  void readersNeverMakeAStepFail(String backend) throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    AtomicLong readings = new AtomicLong();
    List<Running> readers = new ArrayList<>();
    try (Parameters p = Parameters.builder().add("a", 70_000).add("b", 5).build();
        Optimizer optimizer =
            AdamW.builder(p).backend(Backends.named(backend)).threads(2).build()) {
      p.get("a").gradient().fill((byte) 0x3c);
      List<Runnable> kinds =
          List.of(
              () -> assertWhole(optimizer.stateDict()),
              () ->
                  optimizer.withStateDict(
                      live -> {
                        assertWhole(live);
                        return null;
                      }),
              optimizer::await,
              () -> optimizer.differences(optimizer.stateDict(), Map.of()));
      for (int i = 0; i < kinds.size(); i++) {
        Runnable kind = kinds.get(i);
        readers.add(
            new Running(
                i % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual(),
                () -> {
                  while (!done.get()) {
                    kind.run();
                    readings.incrementAndGet();
                  }
                }));
      }
      int steps = 0;
      // Both sides must have had many turns, which also shows that no thread waits forever.
      while (steps < 200 || readings.get() < 200) {
        optimizer.step();
        steps++;
      }
      done.set(true);
      for (Running each : readers) {
        assertNull(each.failure());
      }
      assertEquals(steps, optimizer.stepCount(p.get("a")));
    } finally {
      done.set(true);
    }
  }

  /// All elements have had the same gradients, so that a whole state has equal elements.
  private static void assertWhole(StateDict state) {
    var a = state.parameters().get("a");
    for (MemorySegment each : a.states().values()) {
      float first = each.getAtIndex(JAVA_FLOAT, 0);
      assertEquals(first, each.getAtIndex(JAVA_FLOAT, a.size() / 2));
      assertEquals(first, each.getAtIndex(JAVA_FLOAT, a.size() - 1));
    }
  }

  @Test
  void aSecondThreadThatStepsIsRejected() throws Exception {
    try (Parameters p = Parameters.builder().add("p", 1).build();
        Optimizer optimizer = Adam.builder(p).build()) {
      CountDownLatch begun = new CountDownLatch(1);
      CountDownLatch end = new CountDownLatch(1);
      optimizer.addStepPreHook(
          o -> {
            begun.countDown();
            await(end);
          });
      Running stepping = new Running(optimizer::step);
      begun.await();
      var e = assertThrows(IllegalStateException.class, optimizer::step);
      assertEquals(
          "another thread is stepping this optimizer, but one thread at a time may step it",
          e.getMessage());
      end.countDown();
      assertNull(stepping.failure());
      assertEquals(1, optimizer.stepCount(p.get("p")));
    }
  }

  @Test
  void aStepWaitsForARunningRead() throws Exception {
    try (Parameters p = Parameters.builder().add("p", 1).build();
        Optimizer optimizer = Adam.builder(p).build()) {
      CountDownLatch end = new CountDownLatch(1);
      Running reading = readUntil(optimizer, end);
      Running stepping = new Running(optimizer::step);
      stepping.awaitParked();
      assertEquals(0, optimizer.stepCount(p.get("p")));
      end.countDown();
      assertNull(stepping.failure());
      assertNull(reading.failure());
      assertEquals(1, optimizer.stepCount(p.get("p")));
    }
  }

  @Test
  void threadsTakeTurnsInOrderOfArrival() throws Exception {
    try (Parameters p = Parameters.builder().add("p", 1).build();
        Optimizer optimizer = Adam.builder(p).build()) {
      CountDownLatch begun = new CountDownLatch(1);
      CountDownLatch end = new CountDownLatch(1);
      Runnable remove =
          optimizer.addStepPostHook(
              o -> {
                begun.countDown();
                await(end);
              });
      Running first = new Running(optimizer::step);
      begun.await();
      remove.run();
      List<Integer> order = java.util.Collections.synchronizedList(new ArrayList<>());
      List<Running> readers = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        int number = i;
        readers.add(new Running(() -> optimizer.withStateDict(live -> order.add(number))));
        readers.getLast().awaitParked();
      }
      end.countDown();
      assertNull(first.failure());
      for (Running each : readers) {
        assertNull(each.failure());
      }
      assertEquals(List.of(0, 1, 2, 3, 4), order);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"native", "vector", "scalar"})
  void closeWaitsForTheStepAndTheNextStepIsRejected(String backend) throws Exception {
    for (int round = 0; round < 20; round++) {
      try (Parameters p = Parameters.builder().add("p", 200_000).build()) {
        Optimizer optimizer = AdamW.builder(p).backend(Backends.named(backend)).threads(2).build();
        CountDownLatch begun = new CountDownLatch(1);
        Running stepping =
            new Running(
                () -> {
                  while (true) {
                    optimizer.step();
                    begun.countDown();
                  }
                });
        begun.await();
        optimizer.close();
        assertEquals("the optimizer has been closed", stepping.failure().getMessage());
        float first = p.get("p").data().getAtIndex(JAVA_FLOAT, 0);
        assertEquals(first, p.get("p").data().getAtIndex(JAVA_FLOAT, 199_999));
      }
    }
  }

  @Test
  void closeGivesUpAfterItsTimeout() throws Exception {
    try (Parameters p = Parameters.builder().add("p", 1).build()) {
      Optimizer optimizer = Adam.builder(p).build();
      CountDownLatch end = new CountDownLatch(1);
      Running reading = readUntil(optimizer, end);
      for (Duration timeout :
          List.of(Duration.ofSeconds(-1), Duration.ZERO, Duration.ofMillis(20))) {
        assertFalse(optimizer.close(timeout));
      }
      Running waiting = new Running(optimizer::step);
      waiting.awaitParked();
      // A thread that gives up must not remove the turn of the next one.
      assertFalse(optimizer.close(Duration.ofMillis(1)));
      end.countDown();
      assertNull(waiting.failure());
      assertNull(reading.failure());
      assertTrue(optimizer.close(Duration.ofDays(365_000)));
      assertTrue(optimizer.close(Duration.ZERO));
      assertThrows(IllegalStateException.class, optimizer::step);
    }
  }

  @Test
  void anInterruptIsKeptForLater() throws Exception {
    try (Parameters p = Parameters.builder().add("p", 1).build();
        Optimizer optimizer = Adam.builder(p).build()) {
      CountDownLatch end = new CountDownLatch(1);
      Running reading = readUntil(optimizer, end);
      AtomicBoolean interrupted = new AtomicBoolean();
      Running stepping =
          new Running(
              () -> {
                optimizer.step();
                interrupted.set(Thread.interrupted());
              });
      stepping.awaitParked();
      stepping.thread.interrupt();
      end.countDown();
      assertNull(stepping.failure());
      assertNull(reading.failure());
      assertTrue(interrupted.get());
    }
  }

  @Test
  void aShutdownHookMayClose() throws Exception {
    String output =
        dev.panoptim.JavaProcess.run(
            ClosedAtShutdown.class, List.of("--enable-native-access=ALL-UNNAMED"));
    assertTrue(output.contains("closed after a whole step\n"), output);
  }

  /// Steps until the process ends; a shutdown hook closes the optimizer.
  static final class ClosedAtShutdown {
    public static void main(String[] arguments) throws Exception {
      Parameters p = Parameters.builder().add("p", 100_000).build();
      Optimizer optimizer = Sgd.builder(p).learningRate(1).build();
      p.get("p").gradient().fill((byte) 0x3c);
      CountDownLatch begun = new CountDownLatch(1);
      Thread.ofPlatform()
          .daemon()
          .start(
              () -> {
                while (true) {
                  optimizer.step();
                  begun.countDown();
                }
              });
      begun.await();
      Runtime.getRuntime()
          .addShutdownHook(
              Thread.ofPlatform()
                  .unstarted(
                      () -> {
                        optimizer.close();
                        MemorySegment data = p.get("p").data();
                        float first = data.getAtIndex(JAVA_FLOAT, 0);
                        boolean whole = first == data.getAtIndex(JAVA_FLOAT, 99_999);
                        System.out.println(
                            "closed after " + (whole ? "a whole" : "half a") + " step");
                      }));
    }
  }
}
