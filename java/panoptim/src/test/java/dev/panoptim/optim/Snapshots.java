package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.Map;

/// Compares copies of memory that were made at different times, by name.
final class Snapshots {
  private Snapshots() {}

  /// Names the first memory that differs, instead of printing all of it.
  static void assertUnchanged(
      Map<String, ByteBuffer> before, Map<String, ByteBuffer> now, String what) {
    assertEquals(before.keySet(), now.keySet(), what);
    before.forEach(
        (name, bytes) -> assertEquals(-1, bytes.mismatch(now.get(name)), what + ": " + name));
  }
}
