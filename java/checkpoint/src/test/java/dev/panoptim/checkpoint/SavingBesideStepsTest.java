package dev.panoptim.checkpoint;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Sgd;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Other threads and hooks save checkpoints while one thread steps.
@Timeout(120)
class SavingBesideStepsTest {
  private static final long SIZE = 50_000;

  @TempDir private Path folder;

  private final AtomicBoolean done = new AtomicBoolean();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  private Thread learn(Optimizer optimizer) {
    return Thread.ofPlatform()
        .start(
            () -> {
              try {
                while (!done.get()) {
                  optimizer.step();
                }
              } catch (Throwable e) {
                failure.set(e);
              }
            });
  }

  /// All elements have had the same gradients, so that a whole step leaves equal elements.
  private static void assertWhole(Path file) {
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      assertOneValue(checkpoint.parameters().get("p"));
      checkpoint
          .stateDict()
          .parameters()
          .get("p")
          .states()
          .values()
          .forEach(SavingBesideStepsTest::assertOneValue);
    }
  }

  private static void assertOneValue(MemorySegment floats) {
    float first = floats.getAtIndex(JAVA_FLOAT, 0);
    for (long i = 0; i < SIZE; i++) {
      assertEquals(first, floats.getAtIndex(JAVA_FLOAT, i));
    }
  }

  @Test
  void anotherThreadSavesWholeSteps() throws Exception {
    CheckpointFolder checkpoints = CheckpointFolder.of(folder, 3);
    try (Parameters p = Parameters.builder().add("p", SIZE).build();
        Optimizer optimizer = AdamW.builder(p).threads(2).build()) {
      p.get("p").gradient().fill((byte) 0x3c);
      Training training = Training.of(optimizer);
      Thread learner = learn(optimizer);
      for (int i = 0; i < 10; i++) {
        assertWhole(
            i % 2 == 0
                ? checkpoints.save(training, i, Map.of())
                : checkpoints.saveInBackground(training, i, Map.of()).get());
      }
      done.set(true);
      learner.join();
      assertNull(failure.get());
      assertTrue(optimizer.stepCount(p.get("p")) > 0);
    }
  }

  /// The hook holds the optimizer's lock and waits for its turn in the folder, while other threads
  /// wait for both.
  @Test
  void hooksAndOtherThreadsSaveIntoOneFolderAtOnce() throws Exception {
    CheckpointFolder checkpoints = CheckpointFolder.of(folder, 2);
    try (Parameters p = Parameters.builder().add("p", SIZE).build();
        Optimizer optimizer = Sgd.builder(p).build()) {
      p.get("p").gradient().fill((byte) 0x3c);
      Training training = Training.of(optimizer);
      int[] saved = new int[1];
      optimizer.addStepPostHook(
          o -> {
            if (saved[0]++ % 2 == 0) {
              checkpoints.save(training, 7, Map.of());
            } else {
              checkpoints.saveInBackground(training, 7, Map.of());
            }
          });
      Thread learner = learn(optimizer);
      CompletableFuture<Path> last = null;
      for (int i = 0; i < 10; i++) {
        assertWhole(checkpoints.save(training, 7, Map.of()));
        last = checkpoints.saveInBackground(training, 7, Map.of());
      }
      done.set(true);
      learner.join();
      assertNull(failure.get());
      assertWhole(last.get());
      // The background saves of the hooks must end before the folder is deleted.
      checkpoints.save(training, 7, Map.of());
      assertTrue(saved[0] > 1, saved[0] + " saves by the hook");
    }
  }
}
