package dev.panoptim.djl;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.pytorch.engine.PtNDArray;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/// Says why Panoptim cannot use a tensor.
final class TensorChecks {
  private TensorChecks() {}

  /// The reason why a tensor cannot be used, as the end of a sentence; empty if it can.
  static Optional<String> reasonAgainst(NDArray array, TensorMemory memory) {
    if (!(array instanceof PtNDArray tensor)) {
      return Optional.of("is an array of another engine, but must be one of PyTorch");
    }
    return reasonAgainst(
        array.getDataType(),
        array.getDevice(),
        array.isSparse(),
        array.getShape().size(),
        () -> memory.isContiguous(tensor));
  }

  /// @param contiguous asked if everything else is good
  static Optional<String> reasonAgainst(
      DataType type, Device device, boolean sparse, long size, BooleanSupplier contiguous) {
    if (type != DataType.FLOAT32) {
      return Optional.of("has the data type %s, but must have float32".formatted(type));
    }
    if (!device.equals(Device.cpu())) {
      return Optional.of("is on %s, but must be on the CPU".formatted(device));
    }
    if (sparse) {
      return Optional.of("is sparse, but must be dense");
    }
    if (size > 0 && !contiguous.getAsBoolean()) {
      return Optional.of(
          "is not contiguous, like a transposed array, but must be: set it to a duplicate()");
    }
    return Optional.empty();
  }
}
