package dev.panoptim.internal.ffm;

import dev.panoptim.backend.Tier;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.bindings.panoptim_vectors;
import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.vector.VectorOperation;
import dev.panoptim.internal.vector.VectorOperations;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;

/// Operations on vectors in C++, in one tier, with helpers of the pool.
///
/// Not thread-safe.
final class NativeVectors extends VectorOperations {
  private static final class Function {
    static final MethodHandle RUN = PanoptimAbi.panoptim_run_vectors.makeInvoker().handle();
  }

  /// No other table lies in the cache lines of the shared counters.
  private static final long CACHE_LINE = 64;

  private final MemorySegment call;
  private final Sharing sharing;

  /// The tier must be available.
  NativeVectors(Tier tier, long length, int threads) {
    super(length, threads);
    call = new CollectedMemory(MemoryKind.TABLES).allocate(panoptim_vectors.sizeof(), CACHE_LINE);
    sharing = new Sharing();
    panoptim_vectors.tier(call, tier.ordinal());
    panoptim_vectors.length(call, length);
    panoptim_vectors.sums(call, sums());
  }

  @Override
  protected void run(
      VectorOperation operation,
      float factor,
      MemorySegment x,
      MemorySegment y,
      MemorySegment result) {
    panoptim_vectors.operation(call, operation.ordinal());
    panoptim_vectors.factor(call, factor);
    panoptim_vectors.x(call, x);
    panoptim_vectors.y(call, y == null ? MemorySegment.NULL : y);
    panoptim_vectors.result(call, result == null ? MemorySegment.NULL : result);
    try {
      sharing.run(length, threads);
    } finally {
      Reference.reachabilityFence(x);
      Reference.reachabilityFence(y);
      Reference.reachabilityFence(result);
    }
  }

  private final class Sharing extends SharedElements {
    Sharing() {
      super(
          call,
          panoptim_vectors.share$offset(),
          panoptim_vectors.sharing$offset(),
          panoptim_vectors.error$offset());
    }

    @Override
    int call() throws Throwable {
      return (int) Function.RUN.invokeExact(call);
    }

    @Override
    public void help() {
      PanoptimAbi.panoptim_help_vectors(call);
    }
  }
}
