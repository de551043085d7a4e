package dev.panoptim.device;

import java.lang.foreign.Arena;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// The GPUs that are visible to this process, found at the first use.
///
/// Thread-safe.
final class CudaDevices {
  static final Device[] ALL;

  /// The reason why there is no usable GPU; `null` if there is one.
  static final String WHY_NONE;

  static {
    Device[] found = {};
    String why = null;
    try {
      found = new Device[Cuda.devices()];
      for (int i = 0; i < found.length; i++) {
        found[i] = new Device(i);
      }
    } catch (CudaException e) {
      why = e.getMessage();
    }
    ALL = found;
    WHY_NONE = why;
  }

  /// The GPUs on which the kernels are known to run.
  private static final Set<Device> CAPABLE = ConcurrentHashMap.newKeySet();

  private CudaDevices() {}

  /// @throws CudaException if there is no usable GPU, or the GPU's compute capability is too low
  /// @throws IllegalArgumentException if there is no GPU of that number
  static Device get(int index) {
    if (WHY_NONE != null) {
      throw new CudaException(WHY_NONE);
    }
    if (index < 0 || index >= ALL.length) {
      throw new IllegalArgumentException(
          "index is " + index + ", but must be from 0 to " + (ALL.length - 1));
    }
    Device device = ALL[index];
    if (!CAPABLE.contains(device)) {
      try (Arena arena = Arena.ofConfined()) {
        // CUDA describes only capable devices, and fails for others.
        Cuda.describe(index, arena);
      }
      CAPABLE.add(device);
    }
    return device;
  }
}
