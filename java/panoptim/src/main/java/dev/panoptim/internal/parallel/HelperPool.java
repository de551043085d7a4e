package dev.panoptim.internal.parallel;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/// The threads that help with steps: one pool for each class loader of this library, for all
/// calling threads. A step uses at most as many helpers as there are processors without a calling
/// thread.
///
/// The calling thread offers a step's work to idle helpers and continues at once. Helpers take
/// shares until none is left. The caller does not wait for helpers that have not started. If all
/// helpers are busy, or the system starts no more threads, the caller does all work alone.
///
/// Helpers are started when they are first needed. Without work they spin for a time that [Watch]
/// sets, then sleep. They end after ten idle seconds, or when [#endThreads] is called.
///
/// Thread-safe.
public final class HelperPool {
  /// Work of which several threads may take shares.
  public interface Work {
    /// Takes shares until none is left.
    void help();
  }

  private static final long SLEEP_NANOS = 10_000_000_000L;

  /// How long [#endThreads] waits for threads to end.
  private static final long END_NANOS = 1_000_000_000L;

  static final Watch WATCH = Watch.ofProperty();

  /// The largest number of threads of a step, including the calling one. The number was validated
  /// before plans are made.
  static final int MOST = ThreadProperties.mostThreads();

  private static final Helper[] HELPERS = new Helper[MOST - 1];

  static {
    for (int i = 0; i < HELPERS.length; i++) {
      HELPERS[i] = new Helper("panoptim-" + (i + 1));
    }
  }

  /// The number of threads in steps that may use helpers.
  private static final AtomicInteger CALLERS = new AtomicInteger();

  private HelperPool() {}

  /// Begins a step that may use helpers; [#leave] ends it.
  ///
  /// With as many callers as processors there is no helper: it would share a processor with a
  /// caller, and delay its own caller. The number is computed here only, and does not grow when
  /// other callers leave.
  ///
  /// @return how many helpers the step may use, from the first on; 0 or more: the processors that
  ///   no calling thread needs
  public static int enter() {
    WATCH.begins(System.nanoTime());
    return Math.max(0, MOST - CALLERS.incrementAndGet());
  }

  /// Counts processors that the caller's step uses by other threads than helpers.
  ///
  /// @param count how many more than before, or fewer if below 0
  public static void occupy(int count) {
    CALLERS.addAndGet(count);
  }

  /// Ends a step, and withdraws its work from helpers that have not started it.
  public static void leave(Work work) {
    CALLERS.decrementAndGet();
    WATCH.ends(System.nanoTime());
    dismiss(work);
  }

  /// Offers work to idle helpers.
  ///
  /// @param count the largest number of helpers
  /// @param among the number of helpers to choose from, as [#enter] returned it
  /// @param wake whether to wake sleeping helpers and start missing ones too; waking one takes
  ///   longer than a small step
  public static void offer(int count, int among, Work work, boolean wake) {
    int offered = 0;
    for (int i = 0; i < among && offered < count; i++) {
      if (HELPERS[i].offer(work, wake)) {
        offered++;
      }
    }
  }

  /// Withdraws work from helpers that have not started it.
  static void dismiss(Work work) {
    for (Helper each : HELPERS) {
      each.dismiss(work);
    }
  }

  /// Ends all threads; busy ones finish their work first. Waits for them, but at most for a second.
  /// Later steps start new threads.
  public static void endThreads() {
    Thread[] ended = new Thread[HELPERS.length];
    for (int i = 0; i < ended.length; i++) {
      ended[i] = HELPERS[i].end();
    }
    long giveUp = System.nanoTime() + END_NANOS;
    try {
      for (Thread each : ended) {
        Duration left = Duration.ofNanos(giveUp - System.nanoTime());
        if (each != null && each != Thread.currentThread() && left.isPositive()) {
          each.join(left);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static final class Helper implements Runnable {
    /// Marks that there is no thread.
    private static final Work GONE = () -> {};

    /// Marks that the thread is busy.
    private static final Work BUSY = () -> {};

    private static final ThreadGroup ROOT = root(Thread.currentThread().getThreadGroup());

    private static ThreadGroup root(ThreadGroup group) {
      return group.getParent() == null ? group : root(group.getParent());
    }

    private final String name;

    /// [#GONE], [#BUSY], `null` for idle, or the work that is offered.
    private final AtomicReference<Work> state = new AtomicReference<>(GONE);

    private volatile Thread asleep;

    /// The last started thread; `null` before the first start.
    private volatile Thread thread;

    /// Whether the thread is to end; reset when another one is started.
    private volatile boolean ending;

    Helper(String name) {
      this.name = name;
    }

    boolean offer(Work work, boolean wake) {
      if (!wake && (asleep != null || state.get() == GONE)) {
        return false;
      }
      if (state.compareAndSet(null, work)) {
        LockSupport.unpark(asleep);
        return true;
      }
      return state.get() == GONE && state.compareAndSet(GONE, work) && start();
    }

    private boolean start() {
      boolean started = false;
      try {
        // Inherits nothing from the thread that happened to call first: neither its group, which
        // may be interrupted, nor its priority, locals or class loader.
        Thread thread =
            Thread.ofPlatform()
                .group(ROOT)
                .daemon()
                .priority(Thread.NORM_PRIORITY)
                .name(name)
                .inheritInheritableThreadLocals(false)
                .unstarted(this);
        thread.setContextClassLoader(null);
        // Before the start: later, this write could overwrite a request to end the new thread.
        ending = false;
        thread.start();
        started = true;
        this.thread = thread;
      } catch (OutOfMemoryError noMoreThreads) {
        // The caller does the step alone.
      } finally {
        if (!started) {
          state.set(GONE);
        }
      }
      return started;
    }

    void dismiss(Work work) {
      state.compareAndSet(work, null);
    }

    /// @return the thread that ends; `null` if none was started
    Thread end() {
      Thread last = thread;
      ending = true;
      LockSupport.unpark(asleep);
      return last;
    }

    @Override
    public void run() {
      Watch.Budget budget = WATCH.new Budget(System.nanoTime());
      while (true) {
        Work work = state.get();
        if (work == null) {
          if (!awaitWork(budget)) {
            return;
          }
        } else if (state.compareAndSet(work, BUSY)) {
          try {
            work.help();
          } catch (Throwable e) {
            System.getLogger(HelperPool.class.getName())
                .log(
                    System.Logger.Level.WARNING, "a helper failed; the step goes on without it", e);
          }
          if (ending) {
            state.set(GONE);
            return;
          }
          state.set(null);
        }
      }
    }

    /// @return `false` if the thread is to end
    private boolean awaitWork(Watch.Budget budget) {
      long begin = System.nanoTime();
      long watch = budget.begin(begin);
      long now = begin;
      while (!ending && now - begin < watch) {
        if (state.get() != null) {
          budget.spend(begin, now);
          return true;
        }
        Thread.onSpinWait();
        now = System.nanoTime();
      }
      budget.spend(begin, now);
      asleep = Thread.currentThread();
      // From here on, threads that offer work or end this thread see that they must wake it.
      while (state.get() == null && !ending && System.nanoTime() - begin < SLEEP_NANOS) {
        LockSupport.parkNanos(this, SLEEP_NANOS);
        // Clears an interrupt, which would prevent the thread from sleeping.
        Thread.interrupted();
      }
      asleep = null;
      // Work that was offered and withdrawn also leads here; it is no reason to end.
      boolean ends = ending || System.nanoTime() - begin >= SLEEP_NANOS;
      return !(ends && state.compareAndSet(null, GONE));
    }
  }
}
