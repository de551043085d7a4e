package dev.panoptim.internal.memory;

import java.lang.foreign.MemorySegment;

/// Checks on segments that are about to be read or written, by native code or by Java itself.
///
/// Thread-safe.
public final class Segments {
  /// The first page of memory. Systems map nothing there, so that an address of 0, or of a field of
  /// what is at 0, faults.
  private static final long FIRST_ADDRESS = 4096;

  private Segments() {}

  /// Whether there can be memory of so many bytes at an address: not in the first 4096 bytes, and
  /// not beyond the last address. Nothing can be said of what is really there.
  ///
  /// @param bytes 0 or more; of 0, any address is good
  public static boolean canBeAt(long address, long bytes) {
    // Signed: what crosses 2^63 has an end below its start, what crosses 2^64 begins below 0 and
    // ends above.
    long last = address + bytes - 1;
    return bytes == 0
        || (address < 0 || address >= FIRST_ADDRESS)
            && last >= address
            && (address >= 0 || last < 0);
  }

  /// Checks that there can be memory where a segment says it is: native code, and Java's own
  /// copies, end the process at an address such as 0.
  ///
  /// @param bytes of the memory, which a segment of a GPU's memory does not know
  /// @throws IllegalArgumentException if [#canBeAt] says no; the message begins with the name
  public static void requireAddress(String name, MemorySegment memory, long bytes) {
    if (memory.isNative() && !canBeAt(memory.address(), bytes)) {
      throw new IllegalArgumentException(
          "%s has %s bytes at address 0x%x, but no memory has: it begins at 0x%x and ends at 2^64"
              .formatted(name, bytes, memory.address(), FIRST_ADDRESS));
    }
  }

  /// Checks that a segment of memory that Java reaches can be used now, by this thread.
  ///
  /// @throws IllegalStateException if the segment's arena has been closed
  /// @throws WrongThreadException if the segment's arena is confined to another thread
  public static void requireAlive(String name, MemorySegment segment) {
    if (!segment.scope().isAlive()) {
      throw new IllegalStateException(
          name + " lies in an arena that has been closed, but must be alive");
    }
    if (!segment.isAccessibleBy(Thread.currentThread())) {
      throw new WrongThreadException(
          "%s lies in an arena that is confined to another thread than this one (%s)"
              .formatted(name, Thread.currentThread().getName()));
    }
  }
}
