package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panoptim.device.Device;

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
}
