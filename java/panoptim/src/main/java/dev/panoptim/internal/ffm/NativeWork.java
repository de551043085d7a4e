package dev.panoptim.internal.ffm;

import dev.panoptim.internal.bindings.PanoptimAbi;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Collections;

/// What native code does with the rows of a call. Each method makes the downcall and returns its
/// status; the linker holds the call's arenas open until then.
///
/// The library must be loaded. Thread-safe.
enum NativeWork {
  /// Updates the rows.
  STEP {
    @Override
    int byCaller(NativeTable.Call call) throws Throwable {
      MemorySegment[] a = call.holds;
      return (int)
          Functions.STEP.invokeExact(call.plan, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
    }

    @Override
    int byTeam(NativeTable.Call call, int team, int threads) throws Throwable {
      return OpenMp.step(call.plan, call.holds, team, threads);
    }
  },

  /// Sums the squares of the gradients of each chunk.
  SUM_SQUARES {
    @Override
    int byCaller(NativeTable.Call call) throws Throwable {
      MemorySegment[] a = call.holds;
      return (int)
          Functions.SUM_SQUARES.invokeExact(
              call.plan, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
    }

    @Override
    int byTeam(NativeTable.Call call, int team, int threads) throws Throwable {
      return OpenMp.sumSquares(call.plan, call.holds, team, threads);
    }
  };

  private static final class Functions {
    private static final MemoryLayout[] HOLDS =
        Collections.nCopies(NativeTable.HOLDS, ValueLayout.ADDRESS).toArray(MemoryLayout[]::new);

    static final MethodHandle STEP = PanoptimAbi.panoptim_step.makeInvoker(HOLDS).handle();
    static final MethodHandle SUM_SQUARES =
        PanoptimAbi.panoptim_sum_squares.makeInvoker(HOLDS).handle();
  }

  /// Works on the calling thread, and on the helpers that join.
  ///
  /// @return the status
  abstract int byCaller(NativeTable.Call call) throws Throwable;

  /// Works on the OpenMP team that the calling thread has entered.
  ///
  /// @param team the size of the team, as [OpenMp#enter] returned it
  /// @param threads the number of threads that take part
  /// @return the status
  abstract int byTeam(NativeTable.Call call, int team, int threads) throws Throwable;
}
