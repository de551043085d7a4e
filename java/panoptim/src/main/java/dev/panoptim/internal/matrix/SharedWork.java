package dev.panoptim.internal.matrix;

import dev.panoptim.internal.parallel.PooledJavaWork;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// Independent pieces of work, which the calling thread and threads of the
/// [HelperPool][dev.panoptim.internal.parallel.HelperPool] take in Java.
///
/// Not thread-safe: one call of [#run] at a time.
abstract class SharedWork extends PooledJavaWork {
  /// Inherits nothing: it would keep the class loader of the first calling thread.
  private static final Thread OTHER_THREAD =
      Thread.ofPlatform().inheritInheritableThreadLocals(false).unstarted(() -> {});

  private final AtomicLong taken = new AtomicLong();
  private final AtomicInteger joined = new AtomicInteger();
  private final long pieces;
  private final int mostThreads;
  private final boolean isLong;

  /// @param pieces the number of pieces
  /// @param threads the most threads that take part, including the calling one
  /// @param isLong whether the work takes so long that sleeping helpers are woken
  /// @param memory what the work uses; with confined memory, the calling thread works alone
  SharedWork(long pieces, int threads, boolean isLong, List<MemorySegment> memory) {
    this.pieces = pieces;
    this.isLong = isLong;
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
    if (wanted > 0) {
      run(wanted, isLong);
      return;
    }
    for (long piece = 0; piece < pieces; piece++) {
      work(piece, 0);
    }
  }

  @Override
  protected final void prepare(int helpers) {
    taken.set(0);
    joined.set(1);
  }

  @Override
  protected final void lead() {
    takePieces(0);
  }

  @Override
  protected final void follow() {
    int thread = joined.getAndIncrement();
    if (thread < mostThreads) {
      takePieces(thread);
    }
  }

  private void takePieces(int thread) {
    for (long piece = taken.getAndIncrement(); piece < pieces; piece = taken.getAndIncrement()) {
      work(piece, thread);
    }
  }
}
