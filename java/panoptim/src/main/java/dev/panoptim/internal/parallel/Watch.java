package dev.panoptim.internal.parallel;

/// How long a helper without work watches for more (spins) before it sleeps.
///
/// A watching thread takes work at once, but keeps a processor busy; a sleeping one takes tens of
/// microseconds to wake. So the time follows the mean pause between steps. If that is at most
/// [#LONGEST_NANOS], helpers watch for twice as long, else only for [#SHORT_NANOS]. Each helper's
/// [Budget] bounds the cost.
///
/// Thread-safe. Where several threads begin steps at the same moment, a pause may go uncounted.
final class Watch {
  /// Long enough for a program that only steps; too short to be noticed as load.
  static final long SHORT_NANOS = 50_000;

  /// The longest pause during which helpers watch. Measure anew with `-Pbench
  /// -Dbench.args="ThreadingBenchmark -p threading=pool -jvmArgsAppend -Dpanoptim.watch=..."`.
  static final long LONGEST_NANOS = 300_000;

  private static final String PROPERTY = "panoptim.watch";
  private static final String ADAPTIVE = "auto";
  private static final long MOST_MICROS = 1_000_000;

  /// Each pause moves the mean by one `WEIGHT`th of the difference.
  private static final long WEIGHT = 8;

  private final boolean adapts;
  private final long fixedNanos;

  /// The decaying mean of the pauses that a short watch does not cover, each counted as at most
  /// twice [#LONGEST_NANOS]: a single pause of a second does not predict others. Starts at twice
  /// [#LONGEST_NANOS].
  private volatile long meanPause = 2 * LONGEST_NANOS;

  private volatile long lastPause = Long.MAX_VALUE;
  private volatile long lastEnd;
  private volatile boolean ended;

  private Watch(boolean adapts, long fixedNanos) {
    this.adapts = adapts;
    this.fixedNanos = fixedNanos;
  }

  /// A watch that adapts to the measured pauses.
  static Watch adaptive() {
    return new Watch(true, 0);
  }

  /// A watch of constant length.
  static Watch fixed(long nanos) {
    return new Watch(false, nanos);
  }

  /// The watch that the system property `panoptim.watch` sets.
  ///
  /// @throws IllegalArgumentException if the property is neither `auto` nor a number from 0 to
  ///   1000000
  static Watch ofProperty() {
    String wanted = System.getProperty(PROPERTY, ADAPTIVE);
    if (wanted.equals(ADAPTIVE)) {
      return adaptive();
    }
    long micros;
    try {
      micros = Long.parseLong(wanted);
    } catch (NumberFormatException e) {
      micros = -1;
    }
    if (micros < 0 || micros > MOST_MICROS) {
      throw new IllegalArgumentException(
          "system property %s is '%s', but must be %s or a number of microseconds from 0 to %s"
              .formatted(PROPERTY, wanted, ADAPTIVE, MOST_MICROS));
    }
    return fixed(micros * 1000);
  }

  /// Records that a step that may use helpers begins.
  ///
  /// @param now the time of the system's clock, in nanoseconds
  void begins(long now) {
    long pause = ended ? now - lastEnd : Long.MAX_VALUE;
    lastPause = pause;
    if (adapts && pause > SHORT_NANOS) {
      long mean = meanPause;
      meanPause = mean + (Math.min(pause, 2 * LONGEST_NANOS) - mean) / WEIGHT;
    }
  }

  /// Records that a step that may use helpers ends.
  void ends(long now) {
    lastEnd = now;
    ended = true;
  }

  /// Whether a helper that is woken now is still awake at the next step, if the next pause is as
  /// long as the last.
  boolean staysAwake() {
    return lastPause < nanos();
  }

  /// The time to watch, in nanoseconds.
  long nanos() {
    if (!adapts) {
      return fixedNanos;
    }
    long mean = meanPause;
    // Twice the mean: pauses differ, and the watch ends when work comes.
    return mean > LONGEST_NANOS ? SHORT_NANOS : Math.clamp(2 * mean, SHORT_NANOS, LONGEST_NANOS);
  }

  /// The time that one helper may spend on watching: half of all time, averaged over some ten
  /// milliseconds, or [#SHORT_NANOS] after each step if that is more. A fixed watch is the user's
  /// choice and is not bounded further.
  ///
  /// Not thread-safe: used by one thread.
  final class Budget {
    /// The most time that can be saved for a series of longer pauses, and the most that can be
    /// overdrawn.
    static final long MOST_SAVED_NANOS = 10_000_000;

    private long saved;
    private long last;

    /// @param now the time of the system's clock, in nanoseconds
    Budget(long now) {
      last = now;
    }

    /// @return how long to watch from now on, in nanoseconds
    long begin(long now) {
      saved = Math.min(saved + (now - last) / 2, MOST_SAVED_NANOS);
      last = now;
      long wanted = nanos();
      return !adapts || saved >= wanted ? wanted : SHORT_NANOS;
    }

    /// @param begin when the watch began
    /// @param now when it ended
    void spend(long begin, long now) {
      saved = Math.max(saved - (now - begin), -MOST_SAVED_NANOS);
    }
  }
}
