package dev.panoptim.internal.parallel;

/// How long a helper without work watches for more before it sleeps.
///
/// A thread that watches takes work at once, but keeps a processor busy; one that sleeps takes tens
/// of microseconds to wake. So the time follows the pauses between steps: where they are about as
/// long as they have been and short enough, helpers watch through them, else only for
/// [#SHORT_NANOS]. What this may cost is bounded by each helper's [Budget].
///
/// Thread-safe. Where several threads begin steps at the same moment, a pause may go uncounted.
final class Watch {
  /// Long enough for a training that does nothing but step; too short to be seen as load.
  static final long SHORT_NANOS = 50_000;

  /// The longest pause that is watched through. Measure anew with `-Pbench
  /// -Dbench.args="ThreadingBenchmark -p threading=pool -jvmArgsAppend -Dpanoptim.watch=..."`.
  static final long LONGEST_NANOS = 300_000;

  private static final String PROPERTY = "panoptim.watch";
  private static final String ADAPTIVE = "auto";
  private static final long MOST_MICROS = 1_000_000;

  /// The part of the difference that each pause moves the mean by.
  private static final long WEIGHT = 8;

  private final boolean adapts;
  private final long fixedNanos;

  /// The decaying mean of the pauses that a short watch does not cover, each counted as at most
  /// twice [#LONGEST_NANOS]: one pause of a second is no sign of others. So long at first.
  private volatile long meanPause = 2 * LONGEST_NANOS;

  private volatile long lastPause = Long.MAX_VALUE;
  private volatile long lastEnd;
  private volatile boolean ended;

  private Watch(boolean adapts, long fixedNanos) {
    this.adapts = adapts;
    this.fixedNanos = fixedNanos;
  }

  /// One that adapts to the pauses it sees.
  static Watch adaptive() {
    return new Watch(true, 0);
  }

  /// One that is always as long.
  static Watch fixed(long nanos) {
    return new Watch(false, nanos);
  }

  /// As the system property says.
  ///
  /// @throws IllegalArgumentException if it is neither `auto` nor a number from 0 to 1000000
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

  /// A step that wants help begins.
  ///
  /// @param now as the system's clock says, in nanoseconds
  void begins(long now) {
    long pause = ended ? now - lastEnd : Long.MAX_VALUE;
    lastPause = pause;
    if (adapts && pause > SHORT_NANOS) {
      long mean = meanPause;
      meanPause = mean + (Math.min(pause, 2 * LONGEST_NANOS) - mean) / WEIGHT;
    }
  }

  /// A step that wanted help ends.
  void ends(long now) {
    lastEnd = now;
    ended = true;
  }

  /// Whether a helper that is woken now will be awake at the next step too, if that comes as soon
  /// as this one did.
  boolean staysAwake() {
    return lastPause < nanos();
  }

  /// How long to watch.
  long nanos() {
    if (!adapts) {
      return fixedNanos;
    }
    long mean = meanPause;
    // Twice the mean: pauses differ, and the watch ends when work comes.
    return mean > LONGEST_NANOS ? SHORT_NANOS : Math.clamp(2 * mean, SHORT_NANOS, LONGEST_NANOS);
  }

  /// What one helper may spend on watching: half of the time, averaged over some ten milliseconds,
  /// or [#SHORT_NANOS] after each step where that is more. A fixed watch is the user's choice, and
  /// has no other bound.
  ///
  /// Not thread-safe: it is one thread's.
  final class Budget {
    /// What can be saved for a run of longer pauses, and at most be overdrawn.
    static final long MOST_SAVED_NANOS = 10_000_000;

    private long saved;
    private long last;

    /// @param now as the system's clock says, in nanoseconds
    Budget(long now) {
      last = now;
    }

    /// How long to watch from now on.
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
