package dev.panoptim.internal.tensor;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.SystemMemory;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;

/// The layout of several operands of the same tensors in one allocation: data and gradients, or the
/// states of an optimizer. As a rule, an operand holds one value for each element of all tensors.
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

  /// For each operand, the start of each tensor within it.
  private final long[][] starts;

  private final long[][] lengths;

  /// The start of each operand.
  private final long[] begins;

  private final long alignment;
  private final long bytes;

  /// Operands of the same sizes.
  ///
  /// @param names the names of the tensors, for error messages
  /// @param sizes the number of elements of each tensor
  /// @param first the number of the first operand; operands with different numbers are staggered,
  ///   also across allocations
  /// @param count the number of operands
  /// @throws IllegalArgumentException if a size is negative or the total size exceeds a `long`
  public Layout(List<String> names, long[] sizes, int first, int count) {
    this(names, Collections.nCopies(count, sizes), first);
  }

  /// Operands of different sizes.
  ///
  /// @param names the names of the tensors, for error messages
  /// @param sizes for each operand, its number of elements for each tensor
  /// @param first the number of the first operand; operands with different numbers are staggered,
  ///   also across allocations
  /// @throws IllegalArgumentException if a size is negative or the total size exceeds a `long`
  public Layout(List<String> names, List<long[]> sizes, int first) {
    int count = sizes.size();
    starts = new long[count][];
    lengths = new long[count][];
    long[] operandBytes = new long[count];
    long longest = 0;
    for (int k = 0; k < count; k++) {
      if (k > 0 && sizes.get(k) == sizes.get(k - 1)) {
        starts[k] = starts[k - 1];
        lengths[k] = lengths[k - 1];
        operandBytes[k] = operandBytes[k - 1];
      } else {
        operandBytes[k] = place(names, sizes.get(k), k);
      }
      longest = Math.max(longest, operandBytes[k]);
    }
    alignment = longest <= PACKED ? CACHE_LINE : SystemMemory.SMALL;
    begins = new long[count];
    long at = longest <= PACKED ? 0 : first * (longest <= NEAR ? FIFTH_OF_A_PAGE : STAGGER);
    for (int k = 0; k < count; k++) {
      begins[k] = at;
      at = addExact(at, distance(operandBytes[k], longest));
    }
    bytes = count == 0 ? 0 : at;
  }

  /// Places the tensors of an operand.
  ///
  /// @return the length of the operand
  private long place(List<String> names, long[] sizes, int operand) {
    starts[operand] = new long[sizes.length];
    lengths[operand] = new long[sizes.length];
    long length = 0;
    for (int i = 0; i < sizes.length; i++) {
      starts[operand][i] = length;
      lengths[operand][i] = TensorChecks.bytes(names.get(i), sizes[i]);
      length = roundUp(addExact(length, lengths[operand][i]), CACHE_LINE);
    }
    return length;
  }

  /// The distance from the start of an operand to that of the next one.
  ///
  /// @param length of the operand
  /// @param longest the length of the longest operand
  private static long distance(long length, long longest) {
    if (longest <= PACKED) {
      // No operand is empty, because an allocation of 0 bytes would have no lifetime.
      return Math.max(length, CACHE_LINE);
    }
    if (longest <= NEAR) {
      return roundUp(length - FIFTH_OF_A_PAGE, SystemMemory.SMALL) + FIFTH_OF_A_PAGE;
    }
    boolean huge = length >= SystemMemory.HUGE;
    return addExact(roundUp(length, huge ? SystemMemory.HUGE : SystemMemory.SMALL), STAGGER);
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
    MemorySegment[][] streams = new MemorySegment[begins.length][];
    for (int k = 0; k < begins.length; k++) {
      streams[k] = new MemorySegment[lengths[k].length];
      for (int i = 0; i < lengths[k].length; i++) {
        streams[k][i] = device.slice(memory, begins[k] + starts[k][i], lengths[k][i]);
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

  private static IllegalArgumentException tooLarge() {
    return new IllegalArgumentException(
        "the tensors together need more bytes than fit into a long: " + Long.MAX_VALUE);
  }
}
