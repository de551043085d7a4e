package dev.panoptim.backend;

import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;

/// Shares a step in Java among the threads that every JVM has anyway, those of its common pool.
final class JavaThreads {
  /// Below so many elements waking another thread costs more than it brings.
  private static final long SERIAL_BELOW = 32768;

  private JavaThreads() {}

  /// Updates all chunks of a plan; returns when every thread is done.
  static void updateAll(StepPlan plan, int threads, StepPlan.ChunkUpdate chunkUpdate) {
    if (threads == 1 || plan.confined() || plan.elements() < SERIAL_BELOW) {
      plan.updateShare(0, 1, chunkUpdate);
      return;
    }
    ForkJoinTask<?>[] others = new ForkJoinTask<?>[threads - 1];
    for (int i = 0; i < others.length; i++) {
      int share = i + 1;
      others[i] =
          ForkJoinPool.commonPool().submit(() -> plan.updateShare(share, threads, chunkUpdate));
    }
    plan.updateShare(0, threads, chunkUpdate);
    for (ForkJoinTask<?> other : others) {
      other.join();
    }
  }
}
