package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every damaged checkpoint is rejected.
class DamageTest {
  /// The distance between flipped bits. 7 is coprime to 8, so that each bit position in a byte is
  /// tested.
  private static final int BITS = Boolean.getBoolean("panoptim.exhaustive") ? 1 : 7;

  @TempDir Path temporary;

  private Path saved() {
    try (Trainee trainee = new Trainee(Trainee.KINDS.get("nadam"), 3)) {
      trainee.trainTo(2);
      return CheckpointFolder.of(temporary, 1).save(trainee.training(), 2, Map.of("seed", "1"));
    }
  }

  private void assertRefused(byte[] bytes, String how) throws Exception {
    Path file = Files.write(temporary.resolve("damaged"), bytes);
    var e =
        assertThrows(
            CheckpointException.class, () -> Checkpoint.open(file).close(), () -> how + " passes");
    assertTrue(e.getMessage().startsWith(file + " is no intact checkpoint: "), e.getMessage());
  }

  @Test
  void everyFlippedBitIsNoticed() throws Exception {
    byte[] bytes = Files.readAllBytes(saved());
    for (int bit = 0; bit < bytes.length * Byte.SIZE; bit += BITS) {
      bytes[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
      assertRefused(bytes, "flipped bit " + bit);
      bytes[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
    }
  }

  @Test
  void everyTruncationIsNoticed() throws Exception {
    byte[] bytes = Files.readAllBytes(saved());
    for (int length = 0; length < bytes.length; length++) {
      assertRefused(Arrays.copyOf(bytes, length), "the first " + length + " bytes");
    }
    assertRefused(Arrays.copyOf(bytes, bytes.length + 1), "a byte more");
  }

  @Test
  void aMissingFileIsReported() {
    Path none = temporary.resolve("none");
    var e = assertThrows(UncheckedIOException.class, () -> Checkpoint.open(none));
    assertTrue(e.getMessage().contains(none.toString()), e.getMessage());
  }
}
