package dev.panoptim.examples.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Which parameters readers see in each mode, and whether they wait for a step.
@Timeout(120)
class ModelAccessTest {
  private static final Duration A_WHILE = Duration.ofMillis(200);

  private final Ensemble model = new Ensemble(4 * Ensemble.COLUMNS);
  private final Parameters parameters = model.newParameters(1);
  private final Parameter weights = Ensemble.weights(parameters);

  @AfterEach
  void close() {
    parameters.close();
  }

  @ParameterizedTest
  @EnumSource
  void readersSeeTheParametersOnlyWhereNothingIsPublished(Mode mode) {
    try (Optimizer optimizer = mode.newOptimizer(parameters)) {
      ModelAccess access = mode.share(model, weights, optimizer);
      double before = access.predict(0.5).value();
      weights.data().fill((byte) 0);
      double after = access.predict(0.5).value();
      assertEquals(mode.publishes() ? before : 0, after);
    }
  }

  @ParameterizedTest
  @EnumSource
  void readersWaitForAStepOnlyWithALock(Mode mode) throws InterruptedException {
    try (Optimizer optimizer = mode.newOptimizer(parameters)) {
      ModelAccess access = mode.share(model, weights, optimizer);
      AtomicReference<Prediction> answer = new AtomicReference<>();
      Thread reader = Thread.ofPlatform().unstarted(() -> answer.set(access.predict(0.5)));
      optimizer.addStepPreHook(
          stepping -> {
            reader.start();
            assertEquals(mode != Mode.LOCK, answered(mode, reader));
          });
      model.computeGradients(weights, 0.3, 1);
      access.step();
      reader.join();
      assertFalse(answer.get().torn());
      assertEquals(mode == Mode.LOCK ? 1 : 0, answer.get().step());
      assertTrue(access.predict(0.5).step() == 1, mode::toString);
    }
  }

  /// Whether a reader ends during a step. The wait is long if the reader must end, so that the test
  /// passes on a slow machine.
  private static boolean answered(Mode mode, Thread reader) {
    try {
      return reader.join(mode == Mode.LOCK ? A_WHILE : Duration.ofSeconds(100));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
