package dev.panoptim.internal.tensor;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.SystemMemory;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Where several streams of the same tensors lie in one allocation: data and gradients, or the
/// states of an optimizer.
///
/// A stream holds all tensors one after the other, each from a cache line of its own. TensorChecks
/// whose distance is a power of two would compete for the same cache sets and memory banks, and a
/// step walks all of them at once; so each starts [#STAGGER] bytes further from a page boundary
/// than the one before.
///
/// Small streams would be little beside such distances. Those of up to [#PACKED] bytes follow one
/// another directly, as they all lie within few pages. Those of up to [#NEAR] bytes lie in the
/// first two levels of the cache, where only the distance within a page matters.
///
/// Immutable.
public final class Layout {
  /// Two pages, and about a fifth of one.
  ///
  /// Where streams come from memory, those that lie a multiple of a large power of two apart
  /// compete for the same cache sets: AdamW over 32M parameters takes 1.18 times as long at a
  /// stagger of 0, and 1.29 times at one of a cache line (Zen 4).
  ///
  /// Where they come from a cache, processors take a load for dependent on an earlier store if the
  /// lowest 12 bits of the two addresses agree. At a cache line, or two pages and a cache line, the
  /// loads of the next vectors meet the stores of another stream: 65,536 elements take 1.4 to 1.5,
  /// and 1.5 to 2.3 times as long. At a fifth of a page all five streams of a step are that far
  /// apart.
  ///
  /// Measure anew with `-Pbench -Dbench.args="ConstantsBenchmark -p
  /// changed=stagger=0,stagger=64,stagger=8256"`.
  static final long STAGGER = 8 * 1024 + 832;

  /// [#STAGGER] without its whole pages.
  private static final long FIFTH_OF_A_PAGE = STAGGER % SystemMemory.SMALL;

  /// The bytes of a stream up to which the next one follows directly: 256 elements, which are
  /// updated in a few iterations, sooner than a store could be in the way of a load.
  static final long PACKED = 1024;

  /// The bytes of a stream up to which the next one begins at the next place that is
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

  /// @param names of the tensors, for messages
  /// @param sizes number of elements of each tensor
  /// @param first number of the first stream: streams with different numbers are staggered, across
  ///   allocations too
  /// @param count number of streams
  /// @throws IllegalArgumentException if a size is negative or the sum does not fit into a `long`
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
      // No stream is quite empty: memory without a byte would have no lifetime.
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

  /// What the memory's address must be a multiple of, in bytes.
  public long alignment() {
    return alignment;
  }

  /// What all streams take together.
  public long bytes() {
    return bytes;
  }

  /// The streams, and in each of them the tensors.
  ///
  /// @param memory [#bytes()] of them, aligned to [#alignment()]
  public MemorySegment[][] slices(MemorySegment memory) {
    return slices(Device.cpu(), memory);
  }

  /// The streams, and in each of them the tensors, in memory of a device.
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
