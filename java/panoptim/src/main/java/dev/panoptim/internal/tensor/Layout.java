package dev.panoptim.internal.tensor;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.SystemMemory;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// The layout of several operands of the same tensors in one allocation: data and gradients, or the
/// states of an optimizer. An operand holds one value for each element of all tensors.
///
/// Within an operand, the tensors follow one another, each at a new cache line. A step reads all
/// operands at the same time, and operands whose distance is a power of two compete for the same
/// cache sets and memory banks. Each operand therefore starts [#STAGGER] bytes further from a page
/// boundary than the previous one.
///
/// Small operands need less distance. Operands of up to [#PACKED] bytes follow one another
/// directly, because they all lie within a few pages. Operands of up to [#NEAR] bytes fit into the
/// first two cache levels, where only the distance within a page matters.
///
/// Immutable and thread-safe.
public final class Layout {
  /// The offset between operands: two pages and about a fifth of a page.
  ///
  /// Operands in memory compete for the same cache sets if their distance is a multiple of a large
  /// power of two. AdamW over 32M parameters takes 1.18 times as long with a stagger of 0, and 1.29
  /// times with a stagger of one cache line (Zen 4).
  ///
  /// For operands in a cache, processors assume that a load depends on an earlier store if the
  /// lowest 12 bits of the two addresses are equal. With a stagger of one cache line, or of two
  /// pages and a cache line, the next loads meet the stores of another operand. 65,536 elements
  /// then take 1.4 to 1.5 times as long, or 1.5 to 2.3 times. With a fifth of a page, all five
  /// operands of a step are far enough apart.
  ///
  /// Measure again with `-Pbench -Dbench.args="ConstantsBenchmark -p
  /// changed=stagger=0,stagger=64,stagger=8256"`.
  static final long STAGGER = 8 * 1024 + 832;

  /// The part of [#STAGGER] within a page.
  private static final long FIFTH_OF_A_PAGE = STAGGER % SystemMemory.SMALL;

  /// The largest size in bytes of an operand that the next operand follows directly: 256 elements.
  /// They are updated in a few iterations, before a store could delay a load.
  static final long PACKED = 1024;

  /// The largest size in bytes of an operand after which the next one starts only
  /// [#FIFTH_OF_A_PAGE] further within a page.
  static final long NEAR = 64 * 1024;

  private static final long CACHE_LINE = 64;

  private final long[] starts;
  private final long[] lengths;
  private final long begin;
  private final long distance;
  private final long alignment;
  private final int count;
  private final long bytes;

  /// @param names the names of the tensors, for error messages
  /// @param sizes the number of elements of each tensor
  /// @param first the number of the first operand; operands with different numbers are staggered,
  ///   also across allocations
  /// @param count the number of operands
  /// @throws IllegalArgumentException if a size is negative or the total size exceeds a `long`
  public Layout(List<String> names, long[] sizes, int first, int count) {
    this.count = count;
    starts = new long[sizes.length];
    lengths = new long[sizes.length];
    long length = 0;
    for (int i = 0; i < sizes.length; i++) {
      starts[i] = length;
      lengths[i] = TensorChecks.bytes(names.get(i), sizes[i]);
      length = roundUp(addExact(length, lengths[i]), CACHE_LINE);
    }
    if (length <= PACKED) {
      // No operand is empty, because an allocation of 0 bytes would have no lifetime.
      distance = Math.max(length, CACHE_LINE);
      begin = 0;
      alignment = CACHE_LINE;
    } else if (length <= NEAR) {
      distance = roundUp(length - FIFTH_OF_A_PAGE, SystemMemory.SMALL) + FIFTH_OF_A_PAGE;
      begin = first * FIFTH_OF_A_PAGE;
      alignment = SystemMemory.SMALL;
    } else {
      boolean huge = length >= SystemMemory.HUGE;
      distance = addExact(roundUp(length, huge ? SystemMemory.HUGE : SystemMemory.SMALL), STAGGER);
      begin = first * STAGGER;
      alignment = SystemMemory.SMALL;
    }
    bytes = count == 0 ? 0 : addExact(begin, multiplyExact(distance, count));
  }

  /// The required alignment of the memory in bytes.
  long alignment() {
    return alignment;
  }

  /// The size of all operands in bytes.
  public long bytes() {
    return bytes;
  }

  /// Returns the slices of a memory: for each operand, one slice per tensor.
  ///
  /// @param memory a segment of [#bytes()] bytes, aligned to [#alignment()]
  public MemorySegment[][] slices(MemorySegment memory) {
    return slices(Device.cpu(), memory);
  }

  /// Returns the slices of a device's memory: for each operand, one slice per tensor.
  ///
  /// @param device the device of the memory
  /// @param memory a segment of [#bytes()] bytes, aligned to [#alignment()]
  public MemorySegment[][] slices(Device device, MemorySegment memory) {
    MemorySegment[][] streams = new MemorySegment[count][lengths.length];
    for (int k = 0; k < count; k++) {
      for (int i = 0; i < lengths.length; i++) {
        streams[k][i] = device.slice(memory, begin + k * distance + starts[i], lengths[i]);
      }
    }
    return streams;
  }

  private static long roundUp(long bytes, long unit) {
    return addExact(bytes, unit - 1) & -unit;
  }

  private static long addExact(long a, long b) {
    if (a + b < 0) {
      throw tooLarge();
    }
    return a + b;
  }

  private static long multiplyExact(long a, int b) {
    if (Math.multiplyHigh(a, b) != 0 || a * b < 0) {
      throw tooLarge();
    }
    return a * b;
  }

  private static IllegalArgumentException tooLarge() {
    return new IllegalArgumentException(
        "the tensors together need more bytes than fit into a long: " + Long.MAX_VALUE);
  }
}
