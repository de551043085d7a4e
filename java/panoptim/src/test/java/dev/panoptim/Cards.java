package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panoptim.device.Device;

/// What tests of graphics cards take for granted.
public final class Cards {
  private Cards() {}

  /// Skips a test where there are fewer cards; fails it where the system property
  /// `panoptim.card.needed` says that there is one.
  public static void need(int count) {
    if (Boolean.getBoolean("panoptim.card.needed")) {
      assertTrue(Device.cudaCount() > 0, Device::whyNoCuda);
    }
    assumeTrue(Device.cudaCount() > 0, Device::whyNoCuda);
    assumeTrue(Device.cudaCount() >= count, () -> "there are fewer than " + count + " cards");
  }
}
