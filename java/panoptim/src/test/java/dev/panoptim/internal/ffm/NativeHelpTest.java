package dev.panoptim.internal.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backends;
import dev.panoptim.internal.bindings.panoptim_plan;
import dev.panoptim.internal.parallel.PoolMembers;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.StepPlans;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Native steps with and without helpers. The tests allow 4 threads per step.
@Timeout(60)
class NativeHelpTest {
  private static final Engine ENGINE = Engine.of(Backends.nativeCode());

  @BeforeEach
  void helpersAreIdle() throws InterruptedException {
    PoolMembers.awaitIdle();
  }

  private static void step(StepPlan plan, int threads, float stepSize) {
    StepPlans.descend(plan, stepSize);
    ENGINE.step(plan, threads, null);
  }

  private static NativeTable.Call call(StepPlan plan) {
    return ((NativeTable) plan.prepared()).calls().getFirst();
  }

  /// Equal parameters and gradients, so that a step of size 1 leaves 0 everywhere.
  private static void assertStepIsWhole(StepPlan plan) {
    plan.rows().get(0).data().fill((byte) 0x3f);
    plan.gradient(0).fill((byte) 0x3f);
    step(plan, 4, 1);
    for (long i = 0; i < plan.rows().elements(); i += 7) {
      assertEquals(0, plan.rows().get(0).data().getAtIndex(ValueLayout.JAVA_FLOAT, i));
    }
  }

  @Test
  void stepsAreHelped() {
    try (Arena arena = Arena.ofShared()) {
      StepPlan plan = StepPlans.ofOneRow(arena, 2_000_000);
      long helped = 0;
      for (int i = 0; i < 2000 && helped == 0; i++) {
        step(plan, 2, 0);
        helped = panoptim_plan.helped(call(plan).plan);
      }
      assertTrue(helped > 0, "no helper has taken a share of 2000 steps");
    }
  }

  @Test
  void stepsOfOneCallerPerProcessorAreWholeWithoutHelpers() {
    try (Arena arena = Arena.ofShared()) {
      StepPlan plan = StepPlans.ofOneRow(arena, 40 * WorkSplit.CHUNK);
      PoolMembers.withoutHelp(() -> assertStepIsWhole(plan));
      assertEquals(0, panoptim_plan.share(call(plan).plan), "the step was divided among helpers");
    }
  }

  /// Another thread ends the helpers repeatedly during the steps.
  @Test
  void stepsAreWholeWhileThreadsEnd() throws Exception {
    try (Arena arena = Arena.ofShared()) {
      StepPlan plan = StepPlans.ofOneRow(arena, 40 * WorkSplit.CHUNK);
      PoolMembers.endWhile(Duration.ofMillis(250), () -> assertStepIsWhole(plan));
    }
  }
}
