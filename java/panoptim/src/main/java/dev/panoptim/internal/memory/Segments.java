package dev.panoptim.internal.memory;

import java.lang.foreign.MemorySegment;

/// Checks segments before native code or Java reads or writes them.
///
/// Thread-safe.
public final class Segments {
  /// The size of the first page. Systems never map it, so that an access through a null pointer, or
  /// through a field of one, causes a fault.
  private static final long FIRST_ADDRESS = 4096;

  /// All addresses that a process can have, made at the first use: without native access that
  /// fails. A slice of it costs less than a new segment that is reinterpreted. Threads that make it
  /// at the same time make equal ones.
  private static MemorySegment allAddresses;

  private Segments() {}

  /// The memory at an address, in the global arena. Whether memory exists there is unknown.
  ///
  /// @param address any address; [#requireAddress] accepts or refuses the result
  /// @param bytes the size, 0 or more
  /// @throws IllegalCallerException if native access is denied to this module
  public static MemorySegment ofAddress(long address, long bytes) {
    if (address < 0 || bytes > Long.MAX_VALUE - address) {
      return MemorySegment.ofAddress(address).reinterpret(bytes);
    }
    MemorySegment all = allAddresses;
    if (all == null) {
      all = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
      allAddresses = all;
    }
    return all.asSlice(address, bytes);
  }

  /// Whether memory can exist in an address range: not in the first 4096 bytes, and not beyond the
  /// last address. Whether the memory really exists is unknown.
  ///
  /// @param bytes the size, 0 or more; a size of 0 fits at any address
  public static boolean canBeAt(long address, long bytes) {
    // The arithmetic is signed. A range across 2^63 ends below its start. A range across 2^64
    // begins below 0 and ends at 0 or above.
    long last = address + bytes - 1;
    return bytes == 0
        || (address < 0 || address >= FIRST_ADDRESS)
            && last >= address
            && (address >= 0 || last < 0);
  }

  /// Checks that memory can exist at a segment's address. Native code and Java's own copies would
  /// crash the process at an address such as 0.
  ///
  /// @param bytes the size of the memory, because a segment of GPU memory has no size
  /// @throws IllegalArgumentException if [#canBeAt] is false; the message begins with the name
  public static void requireAddress(String name, MemorySegment memory, long bytes) {
    if (memory.isNative() && !canBeAt(memory.address(), bytes)) {
      throw new IllegalArgumentException(
          "%s has %s bytes at address 0x%x, but memory must be between 0x%x and 2^64"
              .formatted(name, bytes, memory.address(), FIRST_ADDRESS));
    }
  }

  /// Checks that memory may be written.
  ///
  /// @throws IllegalArgumentException if it is read-only; the message begins with the name
  public static void requireWritable(String name, MemorySegment memory) {
    if (memory.isReadOnly()) {
      throw new IllegalArgumentException(name + " is read-only, but will be written");
    }
  }

  /// Checks that this thread can use a segment of host memory now.
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
          "%s lies in an arena that is confined to another thread, not to this one (%s)"
              .formatted(name, Thread.currentThread().getName()));
    }
  }
}
