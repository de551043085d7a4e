package dev.panoptim.djl;

import ai.djl.pytorch.engine.PtNDArray;

/// Where libtorch keeps tensors of DJL. Not thread-safe.
interface TensorMemory {
  /// The address of the first element. The tensor must be dense, on the CPU, contiguous and not
  /// empty.
  long address(PtNDArray array);

  /// Whether the elements follow each other in row-major order, without gaps.
  ///
  /// @param array dense, on the CPU and not empty
  boolean isContiguous(PtNDArray array);

  /// Finds the gradient of an array, for each step.
  Gradient gradientOf(PtNDArray array);

  /// The gradient of one array.
  interface Gradient {
    /// The address of the present gradient, or 0 if there is none.
    ///
    /// @throws IllegalArgumentException if the gradient is not like its array
    long address();
  }
}
