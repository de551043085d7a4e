package dev.panoptim.checkpoint;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Lbfgs;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// L-BFGS is saved in the middle of its history and continues with the same bits.
class LbfgsCheckpointTest {
  /// The distance between flipped bits: coprime to 8, so that each bit position in a byte is
  /// tested.
  private static final int BITS = Boolean.getBoolean("panoptim.exhaustive") ? 1 : 61;

  private static final int BYTES = Boolean.getBoolean("panoptim.exhaustive") ? 1 : 17;

  @TempDir Path temporary;

  /// Rosenbrock's function over all elements of three parameters, one of them empty.
  private record Training(Parameters parameters, Lbfgs optimizer) implements AutoCloseable {
    static Training of(Backend backend, int threads, boolean search) {
      return of(backend, threads, search, "weight", 4, 5);
    }

    static Training of(Backend backend, int threads, boolean search, String name, long... shape) {
      Parameters made = Parameters.builder().add(name, shape).add("none", 0).add("bias", 3).build();
      for (Parameter each : made) {
        for (long i = 0; i < each.size(); i++) {
          each.data().setAtIndex(JAVA_FLOAT, i, i % 2 == 0 ? -1.2f : 1);
        }
      }
      return new Training(
          made,
          Lbfgs.builder(made)
              .backend(backend)
              .threads(threads)
              .strongWolfe(search)
              .learningRate(search ? 1 : 0.1)
              .historySize(4)
              .maxIterations(3)
              .build());
    }

    void step() {
      optimizer.step(closure());
    }

    private DoubleSupplier closure() {
      return () -> {
        optimizer.zeroGrad();
        double loss = 0;
        for (Parameter each : parameters) {
          MemorySegment x = each.data();
          MemorySegment g = each.gradient();
          for (long i = 0; i + 1 < each.size(); i++) {
            double now = x.getAtIndex(JAVA_FLOAT, i);
            double a = x.getAtIndex(JAVA_FLOAT, i + 1) - now * now;
            add(g, i + 1, 200 * a);
            add(g, i, -400 * now * a - 2 * (1 - now));
            loss += 100 * a * a + (1 - now) * (1 - now);
          }
        }
        return loss;
      };
    }

    private static void add(MemorySegment to, long i, double value) {
      to.setAtIndex(JAVA_FLOAT, i, to.getAtIndex(JAVA_FLOAT, i) + (float) value);
    }

    /// The data and the vectors of the state.
    float[] bits() {
      List<MemorySegment> all = new ArrayList<>();
      parameters.forEach(each -> all.add(each.data()));
      return optimizer.withState(
          state -> {
            all.add(state.direction());
            all.add(state.previousGradient());
            state.pairs().forEach(pair -> all.addAll(List.of(pair.step(), pair.change())));
            float[] bits = new float[0];
            for (MemorySegment each : all) {
              float[] more = each.toArray(JAVA_FLOAT);
              int before = bits.length;
              bits = Arrays.copyOf(bits, before + more.length);
              System.arraycopy(more, 0, bits, before, more.length);
            }
            return bits;
          });
    }

    @Override
    public void close() {
      optimizer.close();
      parameters.close();
    }
  }

  private static Training training() {
    return Training.of(Backends.auto(), 1, true);
  }

  private Path saved() {
    Path file = temporary.resolve("lbfgs.safetensors");
    try (Training training = training()) {
      for (int i = 0; i < 3; i++) {
        training.step();
      }
      LbfgsCheckpoint.save(file, training.optimizer, Map.of("seed", "7"));
    }
    return file;
  }

  @Test
  void aResumedOptimizationHasTheSameBits() {
    Path file = temporary.resolve("one.safetensors");
    for (boolean search : new boolean[] {false, true}) {
      for (int before : new int[] {0, 1, 3}) {
        try (Training training = Training.of(Backends.scalar(), 1, search);
            Training resumed = Training.of(Backends.nativeCode(), 2, search)) {
          for (int i = 0; i < before; i++) {
            training.step();
          }
          resumed.step();
          resumed.optimizer.setLearningRate(0.7);
          LbfgsCheckpoint.save(file, training.optimizer, Map.of());
          try (LbfgsCheckpoint checkpoint = LbfgsCheckpoint.open(file)) {
            checkpoint.load(resumed.optimizer);
            assertEquals(training.optimizer.state().iterations(), checkpoint.state().iterations());
          }
          assertArrayEquals(training.bits(), resumed.bits());
          for (int i = 0; i < 4; i++) {
            training.step();
            resumed.step();
            assertArrayEquals(training.bits(), resumed.bits(), "step " + i + " after " + before);
          }
          assertEquals(training.optimizer.report(), resumed.optimizer.report());
        }
      }
    }
  }

  @Test
  void aCheckpointHasWhatWasSaved() throws Exception {
    Path file = saved();
    try (LbfgsCheckpoint checkpoint = LbfgsCheckpoint.open(file);
        Training training = training()) {
      assertEquals(Map.of("seed", "7"), checkpoint.extras());
      assertEquals(4, checkpoint.state().pairs().size());
      assertEquals(6, checkpoint.state().iterations());
      assertEquals(80, checkpoint.parameters().get("weight").byteSize());
      assertTrue(checkpoint.libraryVersion().startsWith("0."), checkpoint.libraryVersion());
      assertEquals(List.of(), checkpoint.differences(training.optimizer));
    }
    try (Stream<Path> files = Files.list(temporary)) {
      assertEquals(List.of(file), files.toList(), "a temporary file was left");
    }
  }

  @Test
  void everyFlippedBitIsNoticed() throws Exception {
    byte[] bytes = Files.readAllBytes(saved());
    Path damaged = temporary.resolve("damaged");
    for (int bit = 0; bit < bytes.length * Byte.SIZE; bit += BITS) {
      bytes[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
      Files.write(damaged, bytes);
      String how = "flipped bit " + bit;
      var e =
          assertThrows(
              CheckpointException.class,
              () -> LbfgsCheckpoint.open(damaged).close(),
              () -> how + " passes");
      assertTrue(
          e.getMessage().startsWith(damaged + " is no intact checkpoint of L-BFGS: "),
          e.getMessage());
      bytes[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
    }
  }

  @Test
  void everyTruncationIsNoticed() throws Exception {
    byte[] bytes = Files.readAllBytes(saved());
    Path damaged = temporary.resolve("damaged");
    for (int length = 0; length < bytes.length; length += BYTES) {
      Files.write(damaged, Arrays.copyOf(bytes, length));
      assertThrows(CheckpointException.class, () -> LbfgsCheckpoint.open(damaged).close());
    }
    Path none = temporary.resolve("none");
    assertThrows(UncheckedIOException.class, () -> LbfgsCheckpoint.open(none));
  }

  @Test
  void theTwoKindsOfCheckpointsAreDistinguished() {
    Path file = saved();
    String message =
        assertThrows(CheckpointException.class, () -> Checkpoint.open(file)).getMessage();
    assertTrue(message.contains("no entry 'panoptim.training'"), message);
    try (Trainee trainee = new Trainee(Trainee.KINDS.get("nadam"), 3)) {
      Path other = CheckpointFolder.of(temporary, 1).save(trainee.training(), 2, Map.of());
      message =
          assertThrows(CheckpointException.class, () -> LbfgsCheckpoint.open(other)).getMessage();
      assertTrue(message.contains("no entry 'panoptim.lbfgs'"), message);
    }
  }

  @Test
  void anotherOptimizerIsRefusedAndStaysAsItIs() {
    Path file = saved();
    try (LbfgsCheckpoint checkpoint = LbfgsCheckpoint.open(file);
        Training named = Training.of(Backends.auto(), 1, true, "w", 4, 5);
        Training shaped = Training.of(Backends.auto(), 1, true, "weight", 5, 4)) {
      for (Training each : List.of(named, shaped)) {
        each.step();
        float[] before = each.bits();
        assertEquals(1, checkpoint.differences(each.optimizer).size());
        String message =
            assertThrows(IllegalArgumentException.class, () -> checkpoint.load(each.optimizer))
                .getMessage();
        assertTrue(message.startsWith(file + " does not fit the optimizer: "), message);
        assertArrayEquals(before, each.bits());
      }
      checkpoint.close();
      assertThrows(IllegalStateException.class, () -> checkpoint.load(shaped.optimizer));
    }
  }

  @Test
  void aSaveThatFailsLeavesTheFile() throws Exception {
    Path file = saved();
    byte[] before = Files.readAllBytes(file);
    try (Training training = training();
        Training badName = Training.of(Backends.auto(), 1, true, "lone \ud800", 20)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> LbfgsCheckpoint.save(file, badName.optimizer, Map.of()));
      assertThrows(
          IllegalArgumentException.class,
          () -> LbfgsCheckpoint.save(file, training.optimizer, Map.of("lone \ud800", "")));
      assertThrows(
          IllegalStateException.class,
          () ->
              training.optimizer.step(
                  () -> {
                    LbfgsCheckpoint.save(file, training.optimizer, Map.of());
                    return 0;
                  }));
      Path folder = Files.createDirectory(temporary.resolve("folder"));
      assertThrows(
          UncheckedIOException.class,
          () -> LbfgsCheckpoint.save(folder, training.optimizer, Map.of()));
      training.optimizer.close();
      assertThrows(
          IllegalStateException.class,
          () -> LbfgsCheckpoint.save(file, training.optimizer, Map.of()));
      Files.delete(folder);
    }
    assertArrayEquals(before, Files.readAllBytes(file));
    try (Stream<Path> files = Files.list(temporary)) {
      assertEquals(List.of(file), files.toList(), "a temporary file was left");
    }
  }
}
