package dev.panoptim.internal.memory;

import java.lang.invoke.MethodHandle;
import java.lang.ref.Cleaner;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/// What was never closed: the garbage collector finds it, and it is said once.
///
/// One warning for the whole process, or, where allocations are traced, one for each place that
/// allocated. All are counted.
///
/// Thread-safe.
public final class Forgotten {
  /// So many places at most are remembered, and said.
  private static final int MOST_SITES = 1000;

  private static final Cleaner CLEANER = Cleaner.create();
  private static final AtomicLong COUNT = new AtomicLong();
  private static final AtomicLong BYTES = new AtomicLong();
  private static final Set<Integer> SITES = new HashSet<>();

  private Forgotten() {}

  /// Runs an action once an object can no longer be reached, or before; not if the class loader of
  /// this library is collected with the object.
  ///
  /// @param action must not refer to the object
  public static Cleaner.Cleanable watch(Object watched, Runnable action) {
    return watch(watched, action, CleaningAction.NOTHING);
  }

  /// Frees something once an object can no longer be reached, or before.
  ///
  /// @param action as for [CleaningAction#runnable]
  /// @param afterUnloading as for [CleaningAction#runnable]
  static Cleaner.Cleanable watch(Object watched, Runnable action, MethodHandle afterUnloading) {
    return CLEANER.register(watched, CleaningAction.runnable(action, afterUnloading));
  }

  /// How many allocations have been forgotten.
  public static long count() {
    return COUNT.get();
  }

  /// The bytes that they held, off-heap and on GPUs.
  public static long bytes() {
    return BYTES.get();
  }

  /// Says it if that is the first time, and counts it.
  ///
  /// @param freed whether its memory could be freed
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
            ? " This is said once; dev.panoptim.metrics.Metrics counts all. Start Java with -D"
                + Origin.TRACE_PROPERTY
                + "=true to see where they are made."
            : " This is said once for each place; it was made here:";
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
