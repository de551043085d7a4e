package dev.panoptim.internal.parallel;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/// The threads that help with steps: one crew for each class loader that has this library, however
/// many threads call optimizers, and never more members than processors that nobody calls from.
///
/// A step is its caller's work. It invites members that are idle, and goes on at once; who comes
/// takes shares until none is left, and who does not is not waited for. So a step that finds the
/// crew busy, or the system out of threads, takes longer and does nothing else.
///
/// Members are started when they are first needed, [Watch] for more work for a moment, then sleep,
/// and end after a while without work, or when [#endThreads] is called.
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

  /// The most threads that a step can take, the calling one among them. Where plans are made, it
  /// has been seen that the number is a good one.
  static final int MOST = ThreadProperties.mostThreads();

  private static final Member[] MEMBERS = new Member[MOST - 1];

  static {
    for (int i = 0; i < MEMBERS.length; i++) {
      MEMBERS[i] = new Member("panoptim-" + (i + 1));
    }
  }

  /// Threads that are making steps for which they want help.
  private static final AtomicInteger CALLERS = new AtomicInteger();

  private HelperPool() {}

  /// Begins a step that wants help; [#leave] ends it.
  ///
  /// With as many callers as processors each step is its caller's alone, for a helper would have to
  /// take turns with the others, and its caller to wait for it. That is looked at now, and not
  /// again when others leave in the meantime.
  ///
  /// @return how many members there are for it, 0 or more: the first so many, as many as processors
  ///   that nobody calls from who wants help
  public static int enter() {
    WATCH.begins(System.nanoTime());
    return Math.max(0, MOST - CALLERS.incrementAndGet());
  }

  /// Says that the caller's step uses processors by other threads than members, so that no member
  /// is for them.
  ///
  /// @param count how many more than before, or fewer if below 0
  public static void occupy(int count) {
    CALLERS.addAndGet(count);
  }

  /// Ends a step that wanted help, and takes back the invitations that nobody has followed yet.
  public static void leave(Work work) {
    CALLERS.decrementAndGet();
    WATCH.ends(System.nanoTime());
    dismiss(work);
  }

  /// Asks idle members to help.
  ///
  /// @param count at most so many
  /// @param among the first so many, which [#enter] said
  /// @param wake whether those that sleep, or have not been started, are asked too; to wake one
  ///   takes longer than a small step
  public static void offer(int count, int among, Work work, boolean wake) {
    int invited = 0;
    for (int i = 0; i < among && invited < count; i++) {
      if (MEMBERS[i].offer(work, wake)) {
        invited++;
      }
    }
  }

  /// Takes back the invitations that nobody has followed yet.
  static void dismiss(Work work) {
    for (Member each : MEMBERS) {
      each.dismiss(work);
    }
  }

  /// Ends all threads: those that are at work once that is done, so no step is harmed. Waits for
  /// them, but at most for a second. Steps that come later start new ones.
  public static void endThreads() {
    Thread[] ended = new Thread[MEMBERS.length];
    for (int i = 0; i < ended.length; i++) {
      ended[i] = MEMBERS[i].end();
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

  private static final class Member implements Runnable {
    /// There is no thread.
    private static final Work GONE = () -> {};

    /// The thread is at work.
    private static final Work BUSY = () -> {};

    private static final ThreadGroup ROOT = root(Thread.currentThread().getThreadGroup());

    private static ThreadGroup root(ThreadGroup group) {
      return group.getParent() == null ? group : root(group.getParent());
    }

    private final String name;

    /// [#GONE], [#BUSY], `null` for idle, or what the member is invited to.
    private final AtomicReference<Work> state = new AtomicReference<>(GONE);

    private volatile Thread asleep;

    /// The last one that was started; `null` before.
    private volatile Thread thread;

    /// Whether the thread is to end. A thread that is started later is not.
    private volatile boolean ending;

    Member(String name) {
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
        // Nothing of the thread that happened to call first: neither its group, which somebody may
        // interrupt, nor its priority, locals or class loader.
        Thread thread =
            Thread.ofPlatform()
                .group(ROOT)
                .daemon()
                .priority(Thread.NORM_PRIORITY)
                .name(name)
                .inheritInheritableThreadLocals(false)
                .unstarted(this);
        thread.setContextClassLoader(null);
        // Before the thread is there, which else might overlook that it is to end.
        ending = false;
        thread.start();
        started = true;
        this.thread = thread;
      } catch (OutOfMemoryError noMoreThreads) {
        // The step goes on alone.
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

    /// @return the thread that ends; `null` if none was ever started
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

    /// @return whether to look again; `false` if the thread is to end
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
      // Whoever invites, or ends the thread, from here on sees that it has to wake it.
      while (state.get() == null && !ending && System.nanoTime() - begin < SLEEP_NANOS) {
        LockSupport.parkNanos(this, SLEEP_NANOS);
        // Nobody has a reason to interrupt it, and whoever does would keep it from sleeping.
        Thread.interrupted();
      }
      asleep = null;
      // Not because work came and was taken back before this thread saw it.
      boolean ends = ending || System.nanoTime() - begin >= SLEEP_NANOS;
      return !(ends && state.compareAndSet(null, GONE));
    }
  }
}
