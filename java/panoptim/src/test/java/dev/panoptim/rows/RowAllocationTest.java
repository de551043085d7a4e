package dev.panoptim.rows;

import dev.panoptim.Allocations;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A compiled step over rows, and a read, allocate nothing on the calling thread.
class RowAllocationTest {
  static List<RowCase> cases() {
    return RowCase.all();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aStepAllocatesNothing(RowCase tested) {
    for (Backend backend : List.of(Backends.nativeCode(), Backends.scalar())) {
      try (Arena arena = Arena.ofConfined();
          RowTable table =
              RowTable.builder(100, 8).optimizer(tested.rows()).backend(backend).build()) {
        RowBatches batch = new RowBatches(arena, 1, 50, 100, 8, false).next();
        RowIds ids = batch.rowIds();
        MemorySegment target = arena.allocate(50 * 8 * 4L, 4);
        Allocations.assertNone(
            tested + " on " + backend,
            300,
            () -> {
              table.catchUp(ids);
              table.gather(ids, target);
              table.step(ids, batch.gradients);
            });
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aStepByIdsAllocatesNothing(RowCase tested) {
    for (Backend backend : List.of(Backends.nativeCode(), Backends.scalar())) {
      try (Arena arena = Arena.ofConfined();
          IdTable table =
              IdTable.builder(8)
                  .optimizer(tested.rows())
                  .backend(backend)
                  .uniform(1, 1)
                  .evictAfter(1000)
                  .build()) {
        RowBatches batch = new RowBatches(arena, 1, 50, 100, 8, false).next();
        RowIds ids = batch.rowIds();
        MemorySegment target = arena.allocate(50 * 8 * 4L, 4);
        Allocations.assertNone(
            tested + " by ids on " + backend,
            300,
            () -> {
              table.catchUp(ids);
              table.gather(ids, target);
              table.step(ids, batch.gradients);
            });
      }
    }
  }
}
