package dev.panoptim.internal.memory;

import java.lang.invoke.MethodHandle;
import java.lang.ref.Cleaner;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/// Finds owners of memory that were garbage-collected without a close, and logs a warning.
///
/// The warning is logged once per process, or once for each allocation site if allocations are
/// traced. All cases are counted.
///
/// Thread-safe.
public final class Forgotten {
  /// The maximum number of allocation sites that are remembered and reported.
  private static final int MOST_SITES = 1000;

  private static final Cleaner CLEANER = Cleaner.create();
  private static final AtomicLong COUNT = new AtomicLong();
  private static final AtomicLong BYTES = new AtomicLong();
  private static final Set<Integer> SITES = new HashSet<>();

  private Forgotten() {}

  /// Runs an action when an object is no longer reachable, or earlier on request. The action does
  /// not run if this library's class loader is collected together with the object.
  ///
  /// @param action must not refer to the watched object
  public static Cleaner.Cleanable watch(Object watched, Runnable action) {
    return watch(watched, action, CleaningAction.NOTHING);
  }

  /// Frees a resource when an object is no longer reachable, or earlier on request.
  ///
  /// @param action as for [CleaningAction#runnable]
  /// @param afterUnloading as for [CleaningAction#runnable]
  static Cleaner.Cleanable watch(Object watched, Runnable action, MethodHandle afterUnloading) {
    return CLEANER.register(watched, CleaningAction.runnable(action, afterUnloading));
  }

  /// The number of owners that were never closed.
  public static long count() {
    return COUNT.get();
  }

  /// The bytes that these owners held, off-heap and on GPUs.
  public static long bytes() {
    return BYTES.get();
  }

  /// Counts a case, and logs a warning if its site is new.
  ///
  /// @param freed whether the memory could be freed
  static void report(Origin origin, long bytes, boolean freed) {
    if (isNews(origin)) {
      say(origin, bytes, freed);
    }
    COUNT.incrementAndGet();
    BYTES.addAndGet(bytes);
  }

  private static void say(Origin origin, long bytes, boolean freed) {
    String what =
        "%s was never closed and can no longer be reached: its %s bytes of off-heap memory %s."
            .formatted(
                origin.owner(),
                bytes,
                freed
                    ? "have been freed after a garbage collection, which may come late"
                    : "cannot be freed without native access");
    String more =
        origin.site() == null
            ? " This warning appears once; dev.panoptim.metrics.Metrics counts all cases. Start"
                + " Java with -D"
                + Origin.TRACE_PROPERTY
                + "=true to see where the memory is allocated."
            : " This warning appears once for each place; it was allocated here:";
    System.getLogger(Forgotten.class.getName())
        .log(System.Logger.Level.WARNING, what + more, origin.site());
  }

  private static boolean isNews(Origin origin) {
    int site = origin.site() == null ? 0 : Arrays.hashCode(origin.site().getStackTrace());
    synchronized (SITES) {
      return SITES.size() < MOST_SITES && SITES.add(site);
    }
  }
}
