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

/// Steps by a team of threads that belongs to the OpenMP runtime: whether there can be one, whose
/// it is, and the calls into its library.
///
/// The runtime keeps a team for each thread that calls it, and ends it only with that thread or at
/// its own request. So that teams do not add up, and none keeps a processor from another, there is
/// one at a time in each class loader, and only one step uses it.
///
/// Thread-safe.
public final class OpenMp {
  private static final class Functions {
    private static final MemoryLayout[] HOLDS =
        Collections.nCopies(NativeTable.HOLDS, ValueLayout.ADDRESS).toArray(MemoryLayout[]::new);

    static final MethodHandle STEP = PanoptimAbi.panoptim_openmp_step.makeInvoker(HOLDS).handle();
    static final MethodHandle SUM_SQUARES =
        PanoptimAbi.panoptim_openmp_sum_squares.makeInvoker(HOLDS).handle();
  }

  /// Threads that the system must start beyond those of the team: another thread of this process
  /// may start at the same moment, and the runtime would end the process.
  private static final int MARGIN = 8;

  /// Whether a thread uses the team, or decides whose it is.
  private static final AtomicBoolean IN_USE = new AtomicBoolean();

  private static final AtomicBoolean REASON_LOGGED = new AtomicBoolean();
  private static final AtomicBoolean OWNER_LOGGED = new AtomicBoolean();

  /// What the system said when it refused threads; `null` as long as it has not.
  private static volatile String refusal;

  /// The thread whose team there is; guarded by [#IN_USE], as is the team's size.
  private static volatile WeakReference<Thread> owner = new WeakReference<>(null);

  private static int size;

  private OpenMp() {}

  /// What keeps steps from being made with a team, or `null`.
  public static String whyNot() {
    NativeLibrary library = NativeLibrary.ofOpenMp();
    return library.isLoaded()
        ? refusal
        : "the OpenMP library could not be loaded: " + String.join("; ", library.failedAttempts());
  }

  /// As [#whyNot()], and logs the reason when it is first asked for.
  static boolean isAvailable() {
    String why = whyNot();
    if (why != null && REASON_LOGGED.compareAndSet(false, true)) {
      log(System.Logger.Level.WARNING, "no OpenMP, steps use the pool: " + why);
      Events.fallback("openmp", "pool", why);
    }
    return why == null;
  }

  /// Takes the team for the calling thread's step; [#leave()] gives it back. The library must be
  /// loaded.
  ///
  /// @param threads that the step is for, the calling one among them
  /// @return the team's size, `threads` or more; 0 if the step has to be made without it
  static int enter(int threads) {
    if (refusal != null
        || Thread.currentThread().isVirtual()
        || !IN_USE.compareAndSet(false, true)) {
      return 0;
    }
    boolean entered = false;
    try {
      entered = own() && grow(threads);
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

  /// Whether the team is the calling thread's.
  static boolean hasTeam() {
    return owner.refersTo(Thread.currentThread());
  }

  /// Makes the calling thread the owner, unless another is.
  private static boolean own() {
    if (hasTeam()) {
      return true;
    }
    Thread other = owner.get();
    if (other != null && other.isAlive()) {
      if (OWNER_LOGGED.compareAndSet(false, true)) {
        log(
            System.Logger.Level.INFO,
            "the OpenMP team is that of thread '%s', so steps of thread '%s' use the pool"
                .formatted(other.getName(), Thread.currentThread().getName()));
      }
      return false;
    }
    owner = new WeakReference<>(Thread.currentThread());
    size = 1;
    return true;
  }

  /// Makes sure that the runtime can start the threads which the team lacks.
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

  /// Ends the team if it is the calling thread's and not in use.
  public static void endTeam() {
    // Whoever never asked for OpenMP does not load its library here.
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

  private static void log(System.Logger.Level level, String message) {
    System.getLogger(OpenMp.class.getName()).log(level, message);
  }
}
