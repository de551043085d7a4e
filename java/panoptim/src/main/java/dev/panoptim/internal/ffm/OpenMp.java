package dev.panoptim.internal.ffm;

import dev.panoptim.internal.bindings.NativeLibrary;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.observe.Events;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.ref.WeakReference;
import java.util.Collections;
import java.util.concurrent.atomic.AtomicBoolean;

/// Steps with a team of OpenMP threads: availability, the owner of the team, and the calls into the
/// library.
///
/// The runtime keeps a team for each thread that calls it, until that thread ends or asks to end
/// the team. To prevent teams from accumulating and competing for processors, each class loader has
/// at most one team, and one step at a time uses it.
///
/// Thread-safe.
public final class OpenMp {
  private static final class Functions {
    private static final MemoryLayout[] HOLDS =
        Collections.nCopies(NativeTable.HOLDS, ValueLayout.ADDRESS).toArray(MemoryLayout[]::new);

    static final MethodHandle STEP = PanoptimAbi.panoptim_openmp_step.makeInvoker(HOLDS).handle();
    static final MethodHandle SUM_SQUARES =
        PanoptimAbi.panoptim_openmp_sum_squares.makeInvoker(HOLDS).handle();
    static final MethodHandle MEASURE =
        PanoptimAbi.panoptim_openmp_measure.makeInvoker(HOLDS).handle();
  }

  /// The number of threads that the system must be able to start beyond those of the team.
  /// Otherwise, if another thread of this process starts at the same moment, the runtime may lack
  /// one and end the process.
  private static final int MARGIN = 8;

  /// Whether a thread is using the team or changing its owner.
  private static final AtomicBoolean IN_USE = new AtomicBoolean();

  private static final AtomicBoolean REASON_LOGGED = new AtomicBoolean();
  private static final AtomicBoolean OWNER_LOGGED = new AtomicBoolean();

  /// The system's message when it could not start threads; `null` before such a failure.
  private static volatile String refusal;

  /// The thread that owns the team; guarded by [#IN_USE], like the team's size.
  private static volatile WeakReference<Thread> owner = new WeakReference<>(null);

  private static int size;

  private OpenMp() {}

  /// The reason why OpenMP is unavailable, or `null`.
  public static String whyNot() {
    NativeLibrary library = NativeLibrary.ofOpenMp();
    return library.isLoaded()
        ? refusal
        : "the OpenMP library could not be loaded: " + String.join("; ", library.failedAttempts());
  }

  /// Whether OpenMP is available. The reason why it is not is logged once.
  static boolean isAvailable() {
    String why = whyNot();
    if (why != null && REASON_LOGGED.compareAndSet(false, true)) {
      log(System.Logger.Level.WARNING, "no OpenMP, steps use the pool: " + why);
      Events.fallback("openmp", "pool", why);
    }
    return why == null;
  }

  /// Reserves the team for the calling thread's step, until [#leave()]. The library must be loaded.
  ///
  /// @param threads the number of threads of the step, including the calling one
  /// @return the team's size, `threads` or more; 0 if the team is not available for this step
  static int enter(int threads) {
    if (refusal != null
        || Thread.currentThread().isVirtual()
        || !IN_USE.compareAndSet(false, true)) {
      return 0;
    }
    boolean entered = false;
    try {
      entered = becomeOwner() && grow(threads);
      return entered ? size : 0;
    } finally {
      if (!entered) {
        leave();
      }
    }
  }

  static void leave() {
    IN_USE.set(false);
  }

  /// Whether the calling thread owns the team.
  static boolean hasTeam() {
    return owner.refersTo(Thread.currentThread());
  }

  /// Makes the calling thread the owner, unless another live thread is.
  private static boolean becomeOwner() {
    if (hasTeam()) {
      return true;
    }
    Thread other = owner.get();
    if (other != null && other.isAlive()) {
      if (OWNER_LOGGED.compareAndSet(false, true)) {
        log(
            System.Logger.Level.INFO,
            "the OpenMP team belongs to thread '%s', so steps of thread '%s' use the pool"
                .formatted(other.getName(), Thread.currentThread().getName()));
      }
      return false;
    }
    owner = new WeakReference<>(Thread.currentThread());
    size = 1;
    return true;
  }

  /// Checks that the runtime can start the threads that the team lacks.
  private static boolean grow(int threads) {
    if (threads <= size) {
      return true;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment error = arena.allocate(PanoptimAbi.PANOPTIM_TEXT());
      int count = Math.min(threads - size + MARGIN, PanoptimAbi.PANOPTIM_OPENMP_THREADS());
      if (PanoptimAbi.panoptim_openmp_try_threads(count, error) != PanoptimAbi.PANOPTIM_OK()) {
        refusal = error.getString(0);
        isAvailable();
        return false;
      }
    }
    size = threads;
    return true;
  }

  /// Ends the team if the calling thread owns it and it is not in use.
  public static void endTeam() {
    // The first check keeps threads without a team from loading the library.
    if (hasTeam() && IN_USE.compareAndSet(false, true)) {
      try {
        if (hasTeam()) {
          PanoptimAbi.panoptim_openmp_end_team();
          owner.clear();
        }
      } finally {
        leave();
      }
    }
  }

  /// Makes a step with the team that the calling thread has entered.
  ///
  /// @param a the call's arena holds
  /// @param team the size of the team, as [#enter] returned it
  /// @param threads the number of threads that take part
  /// @return the status
  static int step(MemorySegment plan, MemorySegment[] a, int team, int threads) throws Throwable {
    return (int)
        Functions.STEP.invokeExact(
            plan, team, threads, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
  }

  /// Sums squares; otherwise as [#step].
  static int sumSquares(MemorySegment plan, MemorySegment[] a, int team, int threads)
      throws Throwable {
    return (int)
        Functions.SUM_SQUARES.invokeExact(
            plan, team, threads, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
  }

  /// Measures; otherwise as [#step].
  static int measure(MemorySegment plan, MemorySegment[] a, int team, int threads)
      throws Throwable {
    return (int)
        Functions.MEASURE.invokeExact(
            plan, team, threads, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
  }

  private static void log(System.Logger.Level level, String message) {
    System.getLogger(OpenMp.class.getName()).log(level, message);
  }
}
