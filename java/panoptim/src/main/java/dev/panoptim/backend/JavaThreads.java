package dev.panoptim.backend;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;

/// Shares a step in Java among the threads that every JVM has anyway, those of its common pool.
final class JavaThreads {
  /// Below so many elements waking another thread costs more than it brings.
  private static final long SERIAL_BELOW = 32768;

  private JavaThreads() {}

  /// Updates all chunks of a plan; returns when every thread is done.
  static void updateAll(StepPlan plan, int threads, StepPlan.ChunkUpdate chunkUpdate) {
    // A thread without a chunk of its own would have nothing to do.
    int shares = (int) Math.min(threads, Math.ceilDiv(plan.elements(), (long) StepPlan.CHUNK));
    if (shares <= 1 || plan.confined() || plan.elements() < SERIAL_BELOW) {
      plan.updateShare(0, 1, chunkUpdate);
      return;
    }
    List<ForkJoinTask<?>> others = new ArrayList<>();
    try {
      for (int i = 1; i < shares; i++) {
        int share = i;
        others.add(
            ForkJoinPool.commonPool().submit(() -> plan.updateShare(share, shares, chunkUpdate)));
      }
      plan.updateShare(0, shares, chunkUpdate);
    } finally {
      // Whatever happened to one share, nobody may still be writing when this returns.
      others.forEach(ForkJoinTask::quietlyJoin);
    }
    others.forEach(ForkJoinTask::join);
  }
}
