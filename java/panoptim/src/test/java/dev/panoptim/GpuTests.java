package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panoptim.device.Device;

/// What tests of GPUs take for granted.
public final class GpuTests {
  private GpuTests() {}

  /// Skips a test where there are fewer GPUs; fails it where the system property
  /// `panoptim.gpu.needed` says that there is one.
  public static void need(int count) {
    if (Boolean.getBoolean("panoptim.gpu.needed")) {
      assertTrue(Device.cudaCount() > 0, Device::whyNoCuda);
    }
    assumeTrue(Device.cudaCount() > 0, Device::whyNoCuda);
    assumeTrue(Device.cudaCount() >= count, () -> "there are fewer than " + count + " GPUs");
  }
}
