package dev.panoptim.internal.matrix;

import dev.panoptim.internal.parallel.HelperPool;
import dev.panoptim.internal.parallel.WorkSplit;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// Independent pieces of work, which the calling thread and threads of the [HelperPool] take in
/// Java. The same scheme as `step/sharing.h` in C++.
///
/// Not thread-safe: one call of [#run] at a time.
abstract class SharedWork implements HelperPool.Work {
  /// Inherits nothing: it would keep the class loader of the first calling thread.
  private static final Thread OTHER_THREAD =
      Thread.ofPlatform().inheritInheritableThreadLocals(false).unstarted(() -> {});

  private final AtomicLong taken = new AtomicLong();
  private final AtomicInteger joined = new AtomicInteger();
  private final AtomicInteger helping = new AtomicInteger();
  private final long pieces;
  private final int mostThreads;
  private final boolean wakes;
  private volatile boolean open;
  private volatile Throwable failure;

  /// @param pieces the number of pieces
  /// @param threads the most threads that take part, including the calling one
  /// @param wakes whether the work takes so long that sleeping helpers are woken
  /// @param memory what the work uses; with confined memory, the calling thread works alone
  SharedWork(long pieces, int threads, boolean wakes, List<MemorySegment> memory) {
    this.pieces = pieces;
    this.wakes = wakes;
    boolean confined = memory.stream().anyMatch(each -> !each.isAccessibleBy(OTHER_THREAD));
    mostThreads = confined ? 1 : (int) Math.min(threads, pieces);
  }

  /// Does one piece of work.
  ///
  /// @param thread the number of the thread among those that take part, from 0 on
  abstract void work(long piece, int thread);

  /// Does all pieces; returns when every thread is done.
  ///
  /// @param threads the most threads that take part, including the calling one
  final void run(int threads) {
    int wanted = Math.min(threads, mostThreads) - 1;
    if (wanted <= 0) {
      for (long piece = 0; piece < pieces; piece++) {
        work(piece, 0);
      }
      return;
    }
    int free = HelperPool.enter();
    int helpers = Math.min(wanted, free);
    taken.set(0);
    joined.set(1);
    failure = null;
    try {
      open = helpers > 0;
      HelperPool.offer(helpers, free, this, wakes || WorkSplit.wakes(0));
      takePieces(0);
    } finally {
      endSharing();
    }
    rethrow();
  }

  private void takePieces(int thread) {
    for (long piece = taken.getAndIncrement(); piece < pieces; piece = taken.getAndIncrement()) {
      work(piece, thread);
    }
  }

  private void endSharing() {
    HelperPool.leave(this);
    open = false;
    // A helper increments `helping` before it reads `open` again: it either sees the end or is
    // waited for here.
    for (int i = 1; helping.get() > 0; i++) {
      if (i % 256 == 0) {
        Thread.yield();
      } else {
        Thread.onSpinWait();
      }
    }
  }

  private void rethrow() {
    Throwable thrown = failure;
    switch (thrown) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new AssertionError("a piece throws nothing checked", thrown);
    }
  }

  @Override
  public final void help() {
    if (!open) {
      return;
    }
    helping.incrementAndGet();
    try {
      int thread = open ? joined.getAndIncrement() : mostThreads;
      if (thread < mostThreads) {
        takePieces(thread);
      }
    } catch (Throwable e) {
      failure = e;
    } finally {
      helping.decrementAndGet();
    }
  }
}
