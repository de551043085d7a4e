package dev.panoptim.internal.parallel;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Threading;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/// The system properties that set the number and kind of threads of steps.
///
/// Thread-safe.
public final class ThreadProperties {
  private static final String THREADS_PROPERTY = "panoptim.threads";
  private static final String THREADING_PROPERTY = "panoptim.threading";

  private ThreadProperties() {}

  /// Checks `panoptim.threads`, `panoptim.threading` and `panoptim.watch`, so that no step can fail
  /// because of them.
  ///
  /// @throws IllegalArgumentException if one of them has a value that is not allowed
  public static void requireValid() {
    mostThreads();
    threading();
    Watch.ofProperty();
  }

  /// @return `threads`
  /// @throws IllegalArgumentException if it is not from 1 to [Backend#MOST_THREADS]
  public static int requireThreads(int threads) {
    if (threads < 1 || threads > Backend.MOST_THREADS) {
      throw new IllegalArgumentException(
          "threads is " + threads + ", but must be from 1 to " + Backend.MOST_THREADS);
    }
    return threads;
  }

  /// The upper bound of the threads of a step: the processors that this process may use, or the
  /// value of the system property `panoptim.threads`.
  ///
  /// @throws IllegalArgumentException if the property is not a number from 1 to
  ///   [Backend#MOST_THREADS]
  public static int mostThreads() {
    String wanted = System.getProperty(THREADS_PROPERTY);
    if (wanted == null) {
      return Math.min(Runtime.getRuntime().availableProcessors(), Backend.MOST_THREADS);
    }
    int most;
    try {
      most = Integer.parseInt(wanted);
    } catch (NumberFormatException e) {
      most = 0;
    }
    if (most < 1 || most > Backend.MOST_THREADS) {
      throw new IllegalArgumentException(
          "system property %s is '%s', but must be from 1 to %s"
              .formatted(THREADS_PROPERTY, wanted, Backend.MOST_THREADS));
    }
    return most;
  }

  /// The value of the system property `panoptim.threading`; the pool if it is not set.
  ///
  /// @throws IllegalArgumentException if the value is neither `pool` nor `openmp`
  public static Threading threading() {
    String wanted = System.getProperty(THREADING_PROPERTY, Threading.POOL.label());
    return Arrays.stream(Threading.values())
        .filter(each -> each.label().equals(wanted.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "system property %s is '%s', but must be one of %s"
                        .formatted(
                            THREADING_PROPERTY,
                            wanted,
                            Arrays.stream(Threading.values())
                                .map(Threading::label)
                                .collect(Collectors.joining(", ")))));
  }
}
