package dev.panoptim.internal.parallel;

/// How the work of a step is divided among threads.
///
/// Thread-safe.
public final class WorkSplit {
  /// The elements of one row that one loop updates: a chunk. A test holds it against
  /// `PANOPTIM_CHUNK`, so that this package does not depend on the bindings.
  public static final int CHUNK = 16384;

  /// Below so many elements, two chunks, there is nothing to share. At so many it pays: AdamW on
  /// two cores of Zen 4 took 11.4 us on one thread and 6.8-7.1 on two. Measure anew with `-Pbench
  /// -Dbench.args="StepBenchmark -p optimizer=ADAMW -p backend=native -p elements=32768,65536"`.
  private static final long SERIAL_BELOW = 32768;

  /// From so many elements on it pays to wake a thread that sleeps. Steps of AdamW that came 200 us
  /// apart on the same machine took, on one thread and on two with this constant at 0: 50 and 53 us
  /// at 131,072 elements, 99 and 87 at 262,144, 202 and 148 at 524,288. Measure anew with `-Pbench
  /// -Dbench.args="ThreadingBenchmark -p threading=one,pool"`.
  private static final long WAKE_FROM = 262_144;

  /// Shares for each thread: so many that nobody waits long for the last one.
  private static final int SHARES_EACH = 8;

  /// A share's most chunks: 4 MiB of each stream.
  private static final long MOST_CHUNKS = 64;

  private WorkSplit() {}

  /// How many threads beside the caller are worth inviting.
  ///
  /// @param elements of the whole work
  /// @param threads at most so many, the caller among them
  public static int helpers(long elements, int threads) {
    if (threads == 1 || elements < SERIAL_BELOW) {
      return 0;
    }
    // A thread without a chunk of its own would have nothing to do.
    long chunks = Math.ceilDiv(elements, (long) CHUNK);
    return (int) Math.min(Math.min(threads, HelperPool.MOST), chunks) - 1;
  }

  /// Whether helpers that sleep are woken: for long work, and if they will then stay awake.
  public static boolean wakes(long elements) {
    return wakes(elements, HelperPool.WATCH);
  }

  static boolean wakes(long elements, Watch watch) {
    return elements >= WAKE_FROM || watch.staysAwake();
  }

  /// The elements that a thread takes at a time.
  ///
  /// @param threads that take some
  public static long share(long elements, int threads) {
    long chunks = elements / CHUNK / ((long) threads * SHARES_EACH);
    return Math.clamp(chunks, 1, MOST_CHUNKS) * CHUNK;
  }
}
