package dev.panoptim.internal.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.EmulatedCuda;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.internal.ffm.NativeTable;
import dev.panoptim.internal.memory.MemoryBudget;
import dev.panoptim.internal.memory.WriteWatch;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.NormDecision;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.RowFormat;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.StepPlans;
import dev.panoptim.rule.Rule;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Failures in the middle of work that consists of several calls of CUDA. The test runs on an
/// emulated GPU, whose calls fail from a given call on.
class CudaFailureTest {
  private static final int SIZE = 5;
  private static final long BYTES = SIZE * Float.BYTES;

  @BeforeEach
  void needsAnEmulatedGpu() {
    EmulatedCuda.need();
  }

  @AfterEach
  void succeedAgain() {
    EmulatedCuda.succeed();
  }

  private static StepPlan plan(List<Arena> arenas) {
    Device gpu = Device.cuda(0);
    List<Row> rows = new ArrayList<>();
    for (Arena each : arenas) {
      rows.add(
          new Row(
              "p" + rows.size(),
              SIZE,
              gpu.allocate(BYTES, each),
              gpu.allocate(BYTES, each),
              List.of(),
              null,
              null));
    }
    RowFormat format = new RowFormat(Rule.builder().build(), gpu, gpu, false, null);
    return StepPlan.of(format, List.of(rows)).getFirst();
  }

  /// Runs an action again and again, with a failure at each of its calls of CUDA in turn.
  ///
  /// @param afterFailure runs after each failed run
  /// @return the number of failed runs
  private static int failures(Runnable action, Runnable afterFailure) {
    for (int calls = 0; ; calls++) {
      EmulatedCuda.failAfter(calls, EmulatedCuda.ILLEGAL_ADDRESS);
      try {
        action.run();
        return calls;
      } catch (CudaException expected) {
        EmulatedCuda.succeed();
        afterFailure.run();
      } finally {
        EmulatedCuda.succeed();
      }
    }
  }

  /// A plan over many arenas takes several calls. If the second one fails, the first one has been
  /// enqueued.
  @Test
  void rowsBeforeAFailedCallCountAsWritten() {
    List<Arena> arenas = new ArrayList<>();
    for (int i = 0; i <= NativeTable.HOLDS; i++) {
      arenas.add(Arena.ofAuto());
    }
    Engine backend = Engine.of(Backends.cuda(0));
    try (StepPlan plan = plan(arenas)) {
      backend.prepare(plan, null);
      StepPlans.descend(plan, 1);
      List<WriteWatch.Range> ranges =
          plan.rows().list().stream().map(row -> new WriteWatch.Range(row.data(), BYTES)).toList();
      try (WriteWatch watch = WriteWatch.of(ranges)) {
        Runnable step =
            () -> {
              watch.takeWritten(0);
              backend.step(plan, 1, null);
            };
        List<Boolean> noted = new ArrayList<>();
        int failures = failures(step, () -> noted.add(watch.isWritten(0)));
        assertTrue(failures >= 2, "a step has only " + failures + " calls of CUDA");
        assertTrue(noted.getLast(), "written after a failure of the last call: " + noted);
      }
    }
  }

  /// If the earlier preparation cannot be freed, the plan keeps the new preparation and frees it
  /// later.
  @Test
  void aSecondPreparationThatFailsLeavesNothingBehind() {
    Engine backend = Engine.of(Backends.cuda(0));
    try (Arena arena = Arena.ofShared();
        StepPlan plan = plan(List.of(arena))) {
      backend.prepare(plan, null);
      plan.close();
      long before = MemoryBudget.onDevices();
      int failures =
          failures(
              () -> {
                backend.prepare(plan, null);
                backend.prepare(plan, null);
              },
              () -> {
                plan.close();
                assertEquals(before, MemoryBudget.onDevices());
              });
      assertTrue(failures > 5, "a preparation has only " + failures + " calls of CUDA");
    }
  }

  /// The exception is the failure of the awaited work. The later failure of the release is
  /// suppressed.
  @Test
  void aDecisionThatCannotBeClosedThrowsTheFirstFailure() {
    Engine backend = Engine.of(Backends.cuda(0));
    try (Arena arena = Arena.ofShared();
        StepPlan plan = plan(List.of(arena))) {
      NormDecision decision = backend.newNormDecision();
      decision.begin();
      decision.add(plan, 1);
      decision.decide(1, 1, false);
      EmulatedCuda.failAfter(0, EmulatedCuda.ILLEGAL_ADDRESS);
      CudaException thrown = assertThrows(CudaException.class, decision::close);
      Throwable again = assertThrows(CudaException.class, decision::norm).getCause();
      EmulatedCuda.succeed();
      assertEquals(thrown, again);
      assertEquals(1, thrown.getSuppressed().length);
      decision.close();
    }
  }
}
