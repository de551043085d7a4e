package dev.panoptim.djl;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.lang.foreign.MemorySegment;

/// Finds addresses through DJL's direct buffers, where libtorch's functions cannot be called. It
/// takes some microseconds for a tensor, and tensors must be smaller than 2 GiB.
final class BufferMemory implements TensorMemory {
  @Override
  public long address(PtNDArray array) {
    return MemorySegment.ofBuffer(array.toByteBuffer(true)).address();
  }

  /// DJL gives a buffer of a contiguous array itself, and of a new copy of any other one. Copies
  /// stay alive as long as the array, so that two of them have different addresses.
  @Override
  public boolean isContiguous(PtNDArray array) {
    return address(array) == address(array);
  }

  @Override
  public Gradient gradientOf(PtNDArray array) {
    return () -> {
      try (PtNDArray gradient = JniUtils.getGradient(array)) {
        if (gradient == null) {
          return 0;
        }
        TensorChecks.reasonAgainst(gradient, this)
            .ifPresent(
                reason -> {
                  throw new IllegalArgumentException("the gradient " + reason);
                });
        return address(gradient);
      }
    };
  }
}
