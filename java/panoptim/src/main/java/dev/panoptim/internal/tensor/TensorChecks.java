package dev.panoptim.internal.tensor;

import dev.panoptim.device.Device;
import dev.panoptim.internal.device.DeviceAccess;
import dev.panoptim.internal.memory.Segments;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// Checks the operands of a step: memory segments that hold the elements of one tensor, and that
/// native code will read or write.
///
/// Every check throws before anything is written, with a message that names the operand, the
/// expected value and the actual value.
///
/// Thread-safe.
public final class TensorChecks {
  private static final long FLOAT_BYTES = ValueLayout.JAVA_FLOAT.byteSize();

  private TensorChecks() {}

  /// The size of a number of floats in bytes.
  ///
  /// @throws IllegalArgumentException if `size` is negative, or so large that its bytes do not fit
  ///   into a `long`
  public static long bytes(String name, long size) {
    if (size < 0 || size > Long.MAX_VALUE / FLOAT_BYTES) {
      throw new IllegalArgumentException(
          "size of '%s' is %s elements, but must be from 0 to %s"
              .formatted(name, size, Long.MAX_VALUE / FLOAT_BYTES));
    }
    return size * FLOAT_BYTES;
  }

  /// Checks that a segment holds exactly `size` floats that native code may read, and write if
  /// `written`.
  ///
  /// @return the segment
  /// @throws IllegalArgumentException if the segment is on the heap, has another size, is not
  ///   aligned to 4 bytes, is read-only although it will be written, or extends to addresses where
  ///   memory cannot exist: the first 4096 bytes, or beyond the last address
  /// @throws IllegalStateException if the segment's arena has been closed
  /// @throws WrongThreadException if the segment's arena is confined to another thread
  public static MemorySegment require(
      String name, long size, MemorySegment segment, boolean written) {
    return require(name, size, bytes(name, size), FLOAT_BYTES, segment, written);
  }

  /// Like [#require(String, long, MemorySegment, boolean)], for memory of a device. The size of GPU
  /// memory can be checked only if [Device#allocate] allocated it.
  ///
  /// @return the segment; for GPU memory, a segment of length 0
  public static MemorySegment require(
      Device device, String name, long size, MemorySegment segment, boolean written) {
    return device.isCpu()
        ? require(name, size, segment, written)
        : requireOnDevice(device, name, size, FLOAT_BYTES, segment, written);
  }

  /// Like [#require(Device, String, long, MemorySegment, boolean)], for 16-bit elements that will
  /// be written, aligned to 2 bytes.
  public static MemorySegment requireHalfPrecisionCopy(
      Device device, String name, long size, MemorySegment segment) {
    return device.isCpu()
        ? require(name, size, bytes(name, size) / 2, Short.BYTES, segment, true)
        : requireOnDevice(device, name, size, Short.BYTES, segment, true);
  }

  /// Whether [#require(Device, String, long, MemorySegment, boolean)] would accept a segment for
  /// reading; on a GPU, only a segment of length 0 that [DeviceAccess#heldWhenAsked] accepts. This
  /// method creates no message and allocates nothing, or little on a GPU.
  ///
  /// @param size the number of elements, which must have been checked before
  public static boolean areFloats(Device device, long size, MemorySegment segment) {
    return segment.isNative()
        && segment.byteSize() == (device.isCpu() ? size * FLOAT_BYTES : 0)
        && segment.address() % FLOAT_BYTES == 0
        && Segments.canBeAt(segment.address(), size * FLOAT_BYTES)
        && segment.scope().isAlive()
        && segment.isAccessibleBy(Thread.currentThread())
        && (device.isCpu()
            || DeviceAccess.get().heldWhenAsked(device, segment, size * FLOAT_BYTES));
  }

  /// @param alignment the size of an element in bytes
  private static MemorySegment requireOnDevice(
      Device device,
      String name,
      long size,
      long alignment,
      MemorySegment segment,
      boolean written) {
    bytes(name, size);
    requireNotNull(name, segment);
    Segments.requireAddress(name, segment, size * alignment);
    MemorySegment address = require(name, size, 0, alignment, segment.asSlice(0, 0), written);
    DeviceAccess.get().requireOnDevice(device, name, address, size * alignment);
    return address;
  }

  private static MemorySegment require(
      String name, long size, long bytes, long alignment, MemorySegment segment, boolean written) {
    requireNotNull(name, segment);
    if (!segment.isNative()) {
      throw new IllegalArgumentException(
          name + " is on the Java heap, but must be off-heap (an Arena allocates such memory)");
    }
    if (segment.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "%s has %s bytes, but must have %s for %s elements"
              .formatted(name, segment.byteSize(), bytes, size));
    }
    Segments.requireAddress(name, segment, bytes);
    if (segment.address() % alignment != 0) {
      throw new IllegalArgumentException(
          "%s starts at address 0x%x, but must be aligned to %s bytes"
              .formatted(name, segment.address(), alignment));
    }
    if (written) {
      Segments.requireWritable(name, segment);
    }
    requireAlive(name, segment);
    return segment;
  }

  /// A supplier of the message would be an object for each call, until HotSpot inlines the check.
  private static void requireNotNull(String name, MemorySegment segment) {
    if (segment == null) {
      throw new NullPointerException(name + " is null, but must be a memory segment");
    }
  }

  /// Checks that this thread can use a segment now.
  ///
  /// @throws IllegalStateException if the segment's arena has been closed
  /// @throws WrongThreadException if the segment's arena is confined to another thread
  public static void requireAlive(String name, MemorySegment segment) {
    Segments.requireAlive(name, segment);
  }

  /// Checks that this thread can copy from or to a segment of host memory, on the heap or off-heap.
  ///
  /// @param bytes the required size
  /// @param written whether the segment is the target of the copy
  /// @throws IllegalArgumentException if the size differs, the target is read-only, or memory
  ///   cannot exist at the address
  /// @throws IllegalStateException if its arena has been closed
  /// @throws WrongThreadException if its arena is confined to another thread
  public static void requireCopyable(
      String name, MemorySegment segment, long bytes, boolean written) {
    requireNotNull(name, segment);
    if (segment.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "%s has %s bytes, but must have %s for the %s elements"
              .formatted(name, segment.byteSize(), bytes, bytes / FLOAT_BYTES));
    }
    Segments.requireAddress(name, segment, bytes);
    if (written) {
      Segments.requireWritable(name, segment);
    }
    requireAlive(name, segment);
  }

  /// An operand and its name for messages.
  ///
  /// @param name the name
  /// @param segment the memory
  /// @param bytes the size in bytes, because a segment of GPU memory has no size
  public record Named(String name, MemorySegment segment, long bytes) {}

  /// Checks that no two operands overlap.
  ///
  /// @throws IllegalArgumentException if two operands share a byte
  public static void requireDisjoint(List<Named> streams) {
    if (!areDisjoint(streams)) {
      throwOverlap(streams);
    }
  }

  private static boolean areDisjoint(List<Named> streams) {
    long[] starts = new long[streams.size()];
    long[] ends = new long[streams.size()];
    int count = 0;
    for (Named each : streams) {
      if (each.bytes() > 0) {
        starts[count] = each.segment().address();
        ends[count] = starts[count] + each.bytes();
        count++;
      }
    }
    Arrays.sort(starts, 0, count);
    Arrays.sort(ends, 0, count);
    return areDisjoint(starts, ends, count);
  }

  /// Whether no two operands overlap.
  ///
  /// @param starts the sorted addresses of their first bytes
  /// @param ends the sorted addresses after their last bytes; no operand is empty
  /// @param count the number of operands, from the beginning of the arrays
  public static boolean areDisjoint(long[] starts, long[] ends, int count) {
    for (int i = 1; i < count; i++) {
      // The pairs of starts and ends are not needed. If two operands overlapped at an address,
      // the starts up to it would outnumber the ends up to it by 2 or more.
      if (ends[i - 1] > starts[i]) {
        return false;
      }
    }
    return true;
  }

  private static void throwOverlap(List<Named> streams) {
    List<Named> ordered = new ArrayList<>(streams);
    ordered.removeIf(stream -> stream.bytes() == 0);
    ordered.sort(Comparator.comparingLong(stream -> stream.segment().address()));
    for (int i = 1; i < ordered.size(); i++) {
      Named before = ordered.get(i - 1);
      Named after = ordered.get(i);
      long shared = before.segment().address() + before.bytes() - after.segment().address();
      if (shared > 0) {
        throw new IllegalArgumentException(
            "%s and %s share %s bytes from address 0x%x on, but operands must not overlap"
                .formatted(
                    before.name(),
                    after.name(),
                    Math.min(shared, after.bytes()),
                    after.segment().address()));
      }
    }
  }
}
