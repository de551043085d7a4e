package dev.panoptim.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// One allocation that holds several streams of the same tensors: data and gradients, or the states
/// of an optimizer.
///
/// A stream holds all tensors one after the other, each from a cache line of its own. Streams whose
/// distance is a power of two would compete for the same cache sets and memory banks, and a step
/// walks all of them at once; so each starts [#STAGGER] bytes further from a page boundary than the
/// one before. Large slabs ask for huge pages.
///
/// Thread-safe; [#close()] fails while a step uses the memory.
public final class Slab implements AutoCloseable {
  /// Two pages, and about a fifth of one.
  ///
  /// Two pages: AdamW over 32M parameters on a 2-core Zen 3 took 35 ms at distances that are a
  /// multiple of 2 MiB, 21-32 ms at most staggers between 576 bytes and 512 KiB, and was fastest,
  /// at 18-25 ms, at 8 KiB and a cache line.
  ///
  /// A fifth: processors take a load for dependent on an earlier store if the lowest 12 bits of the
  /// two addresses agree. At one or two cache lines the loads of the next vectors meet the stores
  /// of another stream: 65,536 elements on Zen 4 took 31-34 us, at this and at larger distances 22.
  /// At a fifth all five streams of a step are that far apart.
  static final long STAGGER = 8 * 1024 + 832;

  private static final long CACHE_LINE = 64;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment[][] streams;

  private Slab(MemorySegment[][] streams) {
    this.streams = streams;
  }

  /// Allocates zeroed streams.
  ///
  /// @param names of the tensors, for messages
  /// @param sizes number of elements of each tensor
  /// @param first number of the first stream: streams with different numbers are staggered, across
  ///   slabs too
  /// @param count number of streams
  /// @throws IllegalArgumentException if a size is negative or the sum does not fit into a `long`
  /// @throws OutOfMemoryError if the system has not so much memory
  public static Slab allocate(List<String> names, long[] sizes, int first, int count) {
    Slab slab = new Slab(new MemorySegment[count][sizes.length]);
    try {
      slab.layOut(names, sizes, first);
      return slab;
    } catch (Throwable e) {
      slab.close();
      throw e;
    }
  }

  private void layOut(List<String> names, long[] sizes, int first) {
    long[] starts = new long[sizes.length];
    long length = 0;
    for (int i = 0; i < sizes.length; i++) {
      starts[i] = length;
      length = roundUp(addExact(length, Streams.bytes(names.get(i), sizes[i])), CACHE_LINE);
    }
    long page = length < Pages.HUGE ? Pages.SMALL : Pages.HUGE;
    long distance = addExact(roundUp(length, page), STAGGER);
    long begin = first * STAGGER;
    MemorySegment memory =
        Pages.allocate(arena, addExact(begin, multiplyExact(distance, streams.length)));
    for (int k = 0; k < streams.length; k++) {
      for (int i = 0; i < sizes.length; i++) {
        streams[k][i] =
            memory.asSlice(begin + k * distance + starts[i], Streams.bytes(names.get(i), sizes[i]));
      }
    }
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

  /// The memory of a tensor in a stream.
  ///
  /// @param stream counted from 0 in this slab
  /// @param tensor counted from 0
  public MemorySegment get(int stream, int tensor) {
    return streams[stream][tensor];
  }

  /// Frees the memory. Does nothing when it has been freed.
  ///
  /// @throws IllegalStateException if a step is using it
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
