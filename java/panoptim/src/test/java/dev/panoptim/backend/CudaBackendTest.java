package dev.panoptim.backend;

import static dev.panoptim.Refusals.assertSays;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.Cards;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.rule.Coefficients;
import dev.panoptim.rule.Rule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Plans and verdicts that go from one backend to another.
///
/// Runs twice: on an emulated card, and on the machine's own, where there is one.
@Tag("card")
class CudaBackendTest {
  private static final int SIZE = 5;

  @BeforeEach
  void needsACard() {
    Cards.need(1);
  }

  /// Of plain gradient descent, from 0 with gradients of 1.
  private static StepPlan plan(Arena arena) {
    return plan(arena, Device.cuda(0));
  }

  /// @param states where they would lie, if there were some
  private static StepPlan plan(Arena arena, Device states) {
    Device card = Device.cuda(0);
    MemorySegment data = card.allocate(SIZE * Float.BYTES, arena);
    MemorySegment gradient = card.allocate(SIZE * Float.BYTES, arena);
    card.fill(gradient, SIZE, 1);
    StepPlan.Row row = new StepPlan.Row("p", SIZE, data, gradient, List.of(), null, null);
    return StepPlan.of(Rule.builder().build(), card, states, List.of(List.of(row)), false, null)
        .getFirst();
  }

  private static void step(Backend backend, StepPlan plan) {
    plan.begin(false);
    Coefficients coefficients = plan.nextCoefficients();
    coefficients.gradientScale = 1;
    coefficients.stepSize = 1;
    plan.assign(0);
    backend.step(plan, 1);
    backend.await();
  }

  private static void assertData(float expected, StepPlan plan) {
    float[] all = new float[SIZE];
    Arrays.fill(all, expected);
    MemorySegment data = plan.rows().getFirst().data();
    assertArrayEquals(all, Device.cuda(0).copyOf(data, SIZE * Float.BYTES).toArray(JAVA_FLOAT));
  }

  @Test
  void aPlanIsPreparedAnewForAnotherStream() {
    try (Arena arena = Arena.ofShared();
        StepPlan plan = plan(arena);
        DeviceStream second = DeviceStream.create(Device.cuda(0))) {
      try (DeviceStream first = DeviceStream.create(Device.cuda(0))) {
        step(Backends.cuda(first), plan);
        assertData(-1, plan);
      }
      Backend other = Backends.cuda(second);
      step(other, plan);
      assertData(-2, plan);
      assertTrue(plan.isPreparedBy(other));
    }
  }

  @Test
  void aPlanTakesOverWhatItsBackendHasMade() {
    try (Arena arena = Arena.ofShared();
        DeviceStream stream = DeviceStream.create(Device.cuda(0));
        StepPlan first = plan(arena);
        StepPlan second = plan(arena);
        StepPlan third = plan(arena)) {
      Backend backend = Backends.cuda(0);
      step(backend, first);
      long free = Device.cuda(0).freeMemory();
      backend.prepare(second, first);
      assertFalse(first.isPreparedBy(backend));
      assertTrue(second.isPreparedBy(backend));
      assertEquals(free, Device.cuda(0).freeMemory());
      Backend other = Backends.cuda(stream);
      other.prepare(third, second);
      assertFalse(second.isPreparedBy(backend));
      for (StepPlan each : List.of(second, third)) {
        step(backend, each);
        assertData(-1, each);
      }
      // Twice for the same plan, what was made first is not left behind.
      backend.prepare(first, null);
      free = Device.cuda(0).freeMemory();
      backend.prepare(first, null);
      assertEquals(free, Device.cuda(0).freeMemory());
    }
  }

  /// In the plan that there is: nothing is made anew.
  @Test
  void gradientsMoveInAPlan() {
    try (Arena arena = Arena.ofShared();
        StepPlan onCard = plan(arena);
        StepPlan offloaded = plan(arena, Device.cpu())) {
      MemorySegment twos = Device.cuda(0).allocate(SIZE * Float.BYTES, arena);
      Device.cuda(0).fill(twos, SIZE, 2);
      for (StepPlan plan : List.of(onCard, offloaded)) {
        Backend backend = plan == onCard ? Backends.cuda(0) : Backends.offload(Device.cuda(0));
        step(backend, plan);
        assertData(-1, plan);
        StepPlan.Prepared prepared = plan.prepared();
        MovingGradients moving = new MovingGradients(List.of(plan));
        assertTrue(moving.moveTo(List.<MemorySegment[]>of(new MemorySegment[] {twos})));
        step(backend, plan);
        assertData(-3, plan);
        assertSame(prepared, plan.prepared());
        backend.zeroGradients(plan);
        backend.await();
        step(backend, plan);
        assertData(-3, plan);
        Device.cuda(0).fill(twos, SIZE, 2);
      }
    }
  }

  @Test
  void whatIsAnotherBackendsIsRefused() {
    try (Arena arena = Arena.ofShared();
        StepPlan plan = plan(arena)) {
      Backend backend = Backends.cuda(0);
      for (Backend other : List.of(Backends.cuda(0), Backends.scalar(), Backends.nativeCode())) {
        try (Verdict verdict = other.newVerdict()) {
          assertSays(
              "the verdict is by another backend " + other.name(),
              () -> backend.step(plan, 1, verdict));
        }
      }
      assertData(0, plan);
      assertSays(
          "the plan's parameters are on cuda:0", () -> Backends.scalar().prepare(plan, null));
      assertSays(
          "update is by backend cuda, but must be by one for the cpu",
          () -> Backends.offload(DeviceStream.defaultOf(Device.cuda(0)), backend));
    }
  }
}
