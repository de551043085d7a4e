package dev.panoptim.internal.parallel;

/// How the work of a step is divided among threads.
///
/// Thread-safe.
public final class WorkSplit {
  /// The elements of a chunk, the part of one row that one loop updates. A test compares it with
  /// `PANOPTIM_CHUNK`, so that this package does not depend on the bindings.
  public static final int CHUNK = 16384;

  /// The partial sums of a chunk: element i is added to sum i % LANES. A test compares it with
  /// `PANOPTIM_LANES`.
  public static final int LANES = 16;

  /// Below this number of elements, two chunks, there is nothing to share. At this number sharing
  /// is faster: AdamW on two cores of Zen 4 took 11.4 us on one thread and 6.8-7.1 on two. Measure
  /// anew with `-Pbench -Dbench.args="StepBenchmark -p optimizer=ADAMW -p backend=native -p
  /// elements=32768,65536"`.
  private static final long SERIAL_BELOW = 32768;

  /// From this number of elements on, waking a sleeping thread saves time. Steps of AdamW, 200 us
  /// apart on the same machine, took on one thread and on two with this constant at 0: 50 and 53 us
  /// at 131,072 elements, 99 and 87 at 262,144, 202 and 148 at 524,288. Measure anew with `-Pbench
  /// -Dbench.args="ThreadingBenchmark -p threading=one,pool"`.
  private static final long WAKE_FROM = 262_144;

  /// Shares for each thread: small shares, so that no thread waits long for the last one.
  private static final int SHARES_EACH = 8;

  /// The most chunks of a share: 4 MiB of each stream.
  private static final long MOST_CHUNKS = 64;

  private WorkSplit() {}

  /// How many helpers a step can use.
  ///
  /// @param elements of the whole work
  /// @param threads the largest number of threads, including the caller
  public static int helpers(long elements, int threads) {
    if (threads == 1 || elements < SERIAL_BELOW) {
      return 0;
    }
    // Each thread needs at least one chunk.
    long chunks = Math.ceilDiv(elements, (long) CHUNK);
    return (int) Math.min(Math.min(threads, HelperPool.MOST), chunks) - 1;
  }

  /// Whether to wake sleeping helpers: for long work, or if they would still be awake at the next
  /// step.
  public static boolean wakes(long elements) {
    return wakes(elements, HelperPool.WATCH);
  }

  static boolean wakes(long elements, Watch watch) {
    return isLong(elements) || watch.staysAwake();
  }

  /// Whether the work takes so long that sleeping helpers are woken in any case.
  public static boolean isLong(long elements) {
    return elements >= WAKE_FROM;
  }

  /// The elements that a thread takes at a time.
  ///
  /// @param threads the number of threads that share the work
  public static long share(long elements, int threads) {
    long chunks = elements / CHUNK / ((long) threads * SHARES_EACH);
    return Math.clamp(chunks, 1, MOST_CHUNKS) * CHUNK;
  }
}
