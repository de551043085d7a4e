package dev.panoptim.internal.ffm;

import dev.panoptim.backend.Tier;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.bindings.panoptim_factored;
import dev.panoptim.internal.factored.FactoredCall;
import dev.panoptim.internal.factored.FactoredOperation;
import dev.panoptim.internal.factored.FactoredOperations;
import dev.panoptim.internal.factored.FactoredShape;
import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;

/// Operations of factored second moments in C++, in one tier, with helpers of the pool.
///
/// Not thread-safe.
final class NativeFactored extends FactoredOperations {
  private static final class Function {
    /// The pointers after the first keep the operands' arenas open until the call returns.
    static final MethodHandle RUN =
        PanoptimAbi.panoptim_run_factored
            .makeInvoker(PanoptimAbi.C_POINTER, PanoptimAbi.C_POINTER, PanoptimAbi.C_POINTER)
            .handle();
  }

  /// No other table lies in the cache lines of the shared counters.
  private static final long CACHE_LINE = 64;

  private final MemorySegment table;
  private final Sharing sharing;

  /// The tier must be available.
  NativeFactored(Tier tier, FactoredShape shape, MemorySegment workspace, int threads) {
    super(shape, workspace, threads);
    table = new CollectedMemory(MemoryKind.TABLES).allocate(panoptim_factored.sizeof(), CACHE_LINE);
    sharing = new Sharing();
    panoptim_factored.tier(table, tier.ordinal());
    panoptim_factored.rows(table, shape.rows());
    panoptim_factored.columns(table, shape.columns());
    panoptim_factored.row_sums(table, rowSums());
    panoptim_factored.row_factors(table, rowFactors());
  }

  @Override
  protected void run(FactoredCall call, int most) {
    boolean sums = call.operation == FactoredOperation.SUMS;
    panoptim_factored.operation(table, call.operation.ordinal());
    panoptim_factored.matrix(table, call.matrix);
    panoptim_factored.result(table, given(call.result));
    panoptim_factored.state(table, given(call.state));
    panoptim_factored.column_sums(table, sums && call.columns ? columnSums() : MemorySegment.NULL);
    panoptim_factored.column_factors(
        table, !sums && call.columns ? columnFactors() : MemorySegment.NULL);
    panoptim_factored.squares(table, call.squares ? squares() : MemorySegment.NULL);
    panoptim_factored.addend(table, call.addend);
    panoptim_factored.scale(table, call.scale);
    panoptim_factored.most(table, call.most);
    panoptim_factored.take(table, call.take);
    panoptim_factored.least(table, call.least);
    sharing.call = call;
    try {
      sharing.run(shape.elements(), most);
    } finally {
      sharing.call = null;
      Reference.reachabilityFence(this);
    }
  }

  private static MemorySegment given(MemorySegment operand) {
    return operand == null ? MemorySegment.NULL : operand;
  }

  private final class Sharing extends SharedElements {
    /// `null` between two operations.
    private FactoredCall call;

    Sharing() {
      super(
          table,
          panoptim_factored.share$offset(),
          panoptim_factored.sharing$offset(),
          panoptim_factored.error$offset());
    }

    @Override
    int call() throws Throwable {
      return (int)
          Function.RUN.invokeExact(table, call.matrix, given(call.result), given(call.state));
    }

    @Override
    public void help() {
      PanoptimAbi.panoptim_help_factored(table);
    }
  }
}
