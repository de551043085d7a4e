package dev.panoptim.internal.jfr;

import jdk.jfr.FlightRecorder;

/// The flight recorder of the process.
///
/// Thread-safe.
public final class Recorder {
  private Recorder() {}

  /// Whether the process has had a recording, or an application has asked for the recorder. Without
  /// it no event is recorded.
  public static boolean isInUse() {
    return FlightRecorder.isInitialized();
  }
}
