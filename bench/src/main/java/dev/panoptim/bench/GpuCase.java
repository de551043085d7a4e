package dev.panoptim.bench;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;

/// What a step on a GPU does in a benchmark: AdamW in each case.
public enum GpuCase {
  /// All operands are on the GPU.
  STEP("adamw", 28),

  /// As [#STEP], but each gradient has another address at each step, in memory that another library
  /// has allocated.
  MOVING_GRADIENTS("adamw moving gradients", 28),

  /// Also scales and clips gradients by their norm, averages, writes a bfloat16 copy, and sets
  /// gradients to 0. Further bytes: the gradient once more for its norm 4, average 8, copy 2, zeros
  /// 4.
  FUSED("adamw fused", 46),

  /// States and update are on the CPU, with all threads. Bytes over the bus: gradient and parameter
  /// to the host, parameter to the GPU.
  OFFLOAD("offload", 12),

  /// As [#OFFLOAD], with a master copy of the parameters on the host, so that parameters are not
  /// copied to the host.
  OFFLOAD_MASTER_COPY("offload master copy", 8),

  /// As [#OFFLOAD], with one thread.
  OFFLOAD_ONE_THREAD("offload one thread", 12);

  private final String label;
  private final int bytesPerElement;

  GpuCase(String label, int bytesPerElement) {
    this.label = label;
    this.bytesPerElement = bytesPerElement;
  }

  /// The name in tables.
  String label() {
    return label;
  }

  /// Bytes that a step moves per element: in the memory of the GPU, or over the bus if
  /// [#isOffloaded].
  int bytesPerElement() {
    return bytesPerElement;
  }

  boolean isOffloaded() {
    return this == OFFLOAD || this == OFFLOAD_MASTER_COPY || this == OFFLOAD_ONE_THREAD;
  }

  /// The number of addresses of a gradient in memory that Panoptim has not allocated.
  int gradientsElsewhere() {
    return this == MOVING_GRADIENTS ? 2 : 0;
  }

  Backend backend(Device gpu) {
    if (this == OFFLOAD_MASTER_COPY) {
      return Backends.offloadWithMasterCopy(gpu);
    }
    return isOffloaded() ? Backends.offload(gpu) : Backends.of(gpu);
  }

  /// The number of threads that update on the CPU; without effect if the GPU updates.
  int threads() {
    return this == OFFLOAD || this == OFFLOAD_MASTER_COPY
        ? Runtime.getRuntime().availableProcessors()
        : 1;
  }
}
