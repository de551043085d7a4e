package dev.panoptim.internal.step;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;

/// Gives an optimizer to one thread at a time.
///
/// A step and a reading never overlap: each waits for the other, in the order in which they came.
/// Two threads that step are a mistake in the program, so the second one is refused. The thread
/// that holds the optimizer may read again, in a hook or while it reads.
///
/// Not a `ReentrantLock`: an uncontended step takes one compare-and-set and one volatile store
/// here, and a step over few parameters takes little more than that.
///
/// Thread-safe.
public final class ExclusiveUse {
  /// What a thread does with the optimizer.
  public enum Purpose {
    STEP("step"),
    /// Reads or saves states, and leaves them as they are.
    READ("read"),
    /// Loads states, adds groups.
    CHANGE("be changed"),
    CLOSE("be closed");

    private final String passive;

    Purpose(String passive) {
      this.passive = passive;
    }
  }

  private enum Entry {
    TAKEN,
    WITHIN,
    TOO_LATE
  }

  /// The bits of [#owner] that hold a purpose.
  private static final int PURPOSE_BITS = 2;

  private static final long NOBODY = 0; // threads are numbered from 1
  private static final long FOREVER = Long.MAX_VALUE;
  private static final VarHandle OWNER;

  static {
    try {
      OWNER = MethodHandles.lookup().findVarHandle(ExclusiveUse.class, "owner", long.class);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError("the field owner is declared in this class", e);
    }
  }

  /// The number of the thread that holds the optimizer, and behind it the purpose. One word, so
  /// that no thread sees the one without the other. A number and not the thread itself: storing a
  /// reference costs the garbage collector's barrier.
  private volatile long owner = NOBODY;

  /// Whether the owner runs hooks; read and written by the owner alone.
  private boolean inHook;

  private final ConcurrentLinkedQueue<Thread> waiting = new ConcurrentLinkedQueue<>();

  /// Whether the queue may have a thread in it: cheaper to read than the queue.
  private volatile boolean contended;

  /// Takes the optimizer, at once or after the threads that came before.
  ///
  /// @return `false` if this thread holds the optimizer already, and reads within that: [#leave] is
  ///   then not to be called
  /// @throws IllegalStateException if this thread holds the optimizer already and asks for anything
  ///   else than to read, or if another thread steps and this one asks to step
  boolean enter(Purpose purpose) {
    if (!contended && take(Thread.currentThread(), purpose)) {
      return true;
    }
    return enterSlowly(purpose, FOREVER) == Entry.TAKEN;
  }

  /// As [#enter], but gives up after some time.
  ///
  /// @return whether the optimizer was taken
  boolean tryEnter(Purpose purpose, long nanos) {
    return enterSlowly(purpose, nanos) == Entry.TAKEN;
  }

  /// Gives the optimizer back, to the thread that has waited longest.
  void leave() {
    owner = NOBODY;
    if (contended) {
      LockSupport.unpark(waiting.peek());
    }
  }

  /// Sets whether the owner is running hooks.
  void runsHooks(boolean value) {
    inHook = value;
  }

  private boolean take(Thread thread, Purpose purpose) {
    return OWNER.compareAndSet(this, NOBODY, thread.threadId() << PURPOSE_BITS | purpose.ordinal());
  }

  private Entry enterSlowly(Purpose purpose, long nanos) {
    Thread current = Thread.currentThread();
    long found = owner;
    if (found >> PURPOSE_BITS == current.threadId()) {
      if (purpose == Purpose.READ) {
        return Entry.WITHIN;
      }
      throw new IllegalStateException(
          "an optimizer cannot %s %s, where it can only be read (stateDict, withStateDict, await,"
                  .formatted(
                      purpose.passive,
                      inHook ? "by one of its own hooks" : "by an action that withStateDict runs")
              + " checkpoints): do it once that has returned");
    }
    if (purpose == Purpose.STEP && found != NOBODY && purposeOf(found) == Purpose.STEP) {
      throw new IllegalStateException(
          "another thread is stepping this optimizer, but one thread at a time may step it");
    }
    return await(current, purpose, nanos);
  }

  private static Purpose purposeOf(long owner) {
    return Purpose.values()[(int) (owner & (1 << PURPOSE_BITS) - 1)];
  }

  private Entry await(Thread current, Purpose purpose, long nanos) {
    long begin = System.nanoTime();
    boolean interrupted = false;
    waiting.add(current);
    contended = true;
    while (waiting.peek() != current || !take(current, purpose)) {
      long left = nanos == FOREVER ? FOREVER : nanos - (System.nanoTime() - begin);
      if (left <= 0) {
        leaveQueue(current);
        // It may have been this thread's turn.
        LockSupport.unpark(waiting.peek());
        return entered(interrupted, Entry.TOO_LATE);
      }
      LockSupport.parkNanos(this, left);
      // An interrupt would keep the thread from waiting, and is for what it does afterwards.
      interrupted |= Thread.interrupted();
    }
    leaveQueue(current);
    return entered(interrupted, Entry.TAKEN);
  }

  private static Entry entered(boolean interrupted, Entry entry) {
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return entry;
  }

  private void leaveQueue(Thread current) {
    waiting.remove(current);
    contended = false;
    if (!waiting.isEmpty()) {
      contended = true;
    }
  }
}
