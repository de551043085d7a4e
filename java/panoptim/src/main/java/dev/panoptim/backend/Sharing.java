package dev.panoptim.backend;

/// How the work of a step is cut up.
final class Sharing {
  /// Below so many elements, two chunks, there is nothing to share. At so many it pays: AdamW on
  /// two cores of Zen 4 took 11.4 us on one thread and 6.8-7.1 on two. Measure anew with `-Pbench
  /// -Dbench.args="StepBenchmark -p optimizer=ADAMW -p backend=native -p elements=32768,65536"`.
  private static final long SERIAL_BELOW = 32768;

  /// Pieces for each thread: so many that nobody waits long for the last one.
  private static final int PIECES_EACH = 8;

  /// A piece's most chunks: 4 MiB of each stream.
  private static final long MOST_CHUNKS = 64;

  private Sharing() {}

  /// How many threads beside the caller are worth inviting.
  ///
  /// @param elements of the whole work
  /// @param threads at most so many, the caller among them
  static int helpers(long elements, int threads) {
    if (threads == 1 || elements < SERIAL_BELOW) {
      return 0;
    }
    // A thread without a chunk of its own would have nothing to do.
    long chunks = Math.ceilDiv(elements, (long) StepPlan.CHUNK);
    return (int) Math.min(Math.min(threads, Crew.MOST), chunks) - 1;
  }

  /// The elements that a thread takes at a time.
  ///
  /// @param threads that take some
  static long piece(long elements, int threads) {
    long chunks = elements / StepPlan.CHUNK / ((long) threads * PIECES_EACH);
    return Math.clamp(chunks, 1, MOST_CHUNKS) * StepPlan.CHUNK;
  }
}
