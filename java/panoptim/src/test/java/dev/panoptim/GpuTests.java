package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.MemoryBudget;

/// Preconditions of tests that need a GPU.
public final class GpuTests {
  private GpuTests() {}

  /// Skips a test if there are fewer GPUs. If a system property says that there is one, the test
  /// fails instead.
  public static void need(int count) {
    if (Boolean.getBoolean("panoptim.gpu.needed")) {
      assertTrue(Device.cudaCount() > 0, Device::whyNoCuda);
    }
    assumeTrue(Device.cudaCount() > 0, Device::whyNoCuda);
    assumeTrue(Device.cudaCount() >= count, () -> "there are fewer than " + count + " GPUs");
  }

  /// The use of a GPU's memory.
  ///
  /// @param allocated the bytes that this library has allocated on all GPUs
  /// @param free the free bytes of an emulated GPU; 0 on hardware, where CUDA itself and other
  ///   processes allocate memory at any time
  public record Usage(long allocated, long free) {}

  public static Usage usage(Device gpu) {
    return new Usage(MemoryBudget.onDevices(), isEmulated(gpu) ? gpu.freeMemory() : 0);
  }

  /// Whether a GPU is emulated by the tests.
  public static boolean isEmulated(Device gpu) {
    return gpu.describe().startsWith("an emulated device");
  }
}
