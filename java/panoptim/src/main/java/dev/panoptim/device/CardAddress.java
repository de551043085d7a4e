package dev.panoptim.device;

import java.lang.foreign.MemorySegment;

/// Arithmetic on addresses of a card's memory.
final class CardAddress {
  private CardAddress() {}

  /// An address further on, with the same lifetime.
  static MemorySegment plus(MemorySegment memory, long bytes) {
    return memory.reinterpret(bytes).asSlice(bytes, 0);
  }
}
