package dev.panoptim.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.Device;
import ai.djl.ndarray.types.DataType;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TensorChecksTest {
  private static Optional<String> reason(
      DataType type, Device device, boolean sparse, long size, boolean contiguous) {
    return TensorChecks.reasonAgainst(type, device, sparse, size, () -> contiguous);
  }

  @Test
  void float32OnTheCpuIsAccepted() {
    assertEquals(Optional.empty(), reason(DataType.FLOAT32, Device.cpu(), false, 6, true));
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FLOAT32")
  void otherTypesAreRefused(DataType type) {
    assertEquals(
        Optional.of("has the data type " + type + ", but must have float32"),
        reason(type, Device.cpu(), false, 6, true));
  }

  @Test
  void gpusAreRefused() {
    assertEquals(
        Optional.of("is on gpu(1), but must be on the CPU"),
        reason(DataType.FLOAT32, Device.gpu(1), false, 6, true));
  }

  @Test
  void otherLayoutsAreRefused() {
    assertEquals(
        Optional.of("is sparse, but must be dense"),
        reason(DataType.FLOAT32, Device.cpu(), true, 6, true));
    assertEquals(
        Optional.of(
            "is not contiguous, like a transposed array, but must be: set it to a duplicate()"),
        reason(DataType.FLOAT32, Device.cpu(), false, 6, false));
  }

  @Test
  void layoutsOfEmptyArraysDoNotMatter() {
    assertEquals(Optional.empty(), reason(DataType.FLOAT32, Device.cpu(), false, 0, false));
  }
}
