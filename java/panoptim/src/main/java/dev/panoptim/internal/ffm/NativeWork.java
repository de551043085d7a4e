package dev.panoptim.internal.ffm;

/// The native work on the rows of a call. Each method makes the downcall and returns its status;
/// the linker keeps the call's arenas open during the downcall.
///
/// The library must be loaded. Thread-safe.
enum NativeWork {
  /// Updates the rows.
  STEP {
    @Override
    int byCaller(NativeTable.Call call) throws Throwable {
      return HeldCalls.step(call.plan, call.fewHolds);
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
      return HeldCalls.sumSquares(call.plan, call.fewHolds);
    }

    @Override
    int byTeam(NativeTable.Call call, int team, int threads) throws Throwable {
      return OpenMp.sumSquares(call.plan, call.holds, team, threads);
    }
  },

  /// Measures each chunk.
  MEASURE {
    @Override
    int byCaller(NativeTable.Call call) throws Throwable {
      return HeldCalls.measure(call.plan, call.fewHolds);
    }

    @Override
    int byTeam(NativeTable.Call call, int team, int threads) throws Throwable {
      return OpenMp.measure(call.plan, call.holds, team, threads);
    }
  };

  /// Works on the calling thread and on helpers of the pool.
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
