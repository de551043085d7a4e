package dev.panoptim.internal.cuda;

import static dev.panoptim.Illegal.assertSays;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.NormDecision;
import dev.panoptim.internal.step.Prepared;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.RowFormat;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.StepPlans;
import dev.panoptim.rule.Rule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Moves plans and norm decisions between backends.
///
/// The test runs twice: on an emulated GPU, and on the machine's own GPU if there is one.
@Tag("gpu")
class CudaBackendTest {
  private static final int SIZE = 5;

  @BeforeEach
  void needsAGpu() {
    GpuTests.need(1);
  }

  /// A plan of gradient descent, starting at 0 with gradients of 1.
  private static StepPlan plan(Arena arena) {
    return plan(arena, Device.cuda(0));
  }

  /// @param states the device of the states
  private static StepPlan plan(Arena arena, Device states) {
    Device gpu = Device.cuda(0);
    MemorySegment data = gpu.allocate(SIZE * Float.BYTES, arena);
    MemorySegment gradient = gpu.allocate(SIZE * Float.BYTES, arena);
    gpu.fill(gradient, SIZE, 1);
    Row row = new Row("p", SIZE, data, gradient, List.of(), null, null);
    return StepPlans.of(new RowFormat(Rule.builder().build(), gpu, states, false, null), row);
  }

  private static void step(Engine backend, StepPlan plan) {
    StepPlans.descend(plan, 1);
    backend.step(plan, 1, null);
    backend.await();
  }

  private static void assertData(float expected, StepPlan plan) {
    float[] all = new float[SIZE];
    Arrays.fill(all, expected);
    MemorySegment data = plan.rows().get(0).data();
    assertArrayEquals(all, Device.cuda(0).copyOf(data, SIZE * Float.BYTES).toArray(JAVA_FLOAT));
  }

  @Test
  void aPlanIsPreparedAgainForAnotherStream() {
    try (Arena arena = Arena.ofShared();
        StepPlan plan = plan(arena);
        DeviceStream second = DeviceStream.create(Device.cuda(0))) {
      try (DeviceStream first = DeviceStream.create(Device.cuda(0))) {
        step(Engine.of(Backends.cuda(first)), plan);
        assertData(-1, plan);
      }
      Engine other = Engine.of(Backends.cuda(second));
      step(other, plan);
      assertData(-2, plan);
      assertSame(other, plan.prepared().engine());
    }
  }

  @Test
  void aPlanReusesTheMemoryOfThePreviousOne() {
    try (Arena arena = Arena.ofShared();
        DeviceStream stream = DeviceStream.create(Device.cuda(0));
        StepPlan first = plan(arena);
        StepPlan second = plan(arena);
        StepPlan third = plan(arena)) {
      Engine backend = Engine.of(Backends.cuda(0));
      step(backend, first);
      GpuTests.Usage usage = GpuTests.usage(Device.cuda(0));
      backend.prepare(second, first);
      assertNull(first.prepared());
      assertSame(backend, second.prepared().engine());
      assertEquals(usage, GpuTests.usage(Device.cuda(0)));
      Engine other = Engine.of(Backends.cuda(stream));
      other.prepare(third, second);
      assertNull(second.prepared());
      for (StepPlan each : List.of(second, third)) {
        step(backend, each);
        assertData(-1, each);
      }
      // A second preparation of the same plan frees the first one.
      backend.prepare(first, null);
      usage = GpuTests.usage(Device.cuda(0));
      backend.prepare(first, null);
      assertEquals(usage, GpuTests.usage(Device.cuda(0)));
    }
  }

  /// The plan is updated, not created again.
  @Test
  void gradientsMoveInAPlan() {
    try (Arena arena = Arena.ofShared();
        StepPlan onDevice = plan(arena);
        StepPlan offloaded = plan(arena, Device.cpu())) {
      MemorySegment twos = Device.cuda(0).allocate(SIZE * Float.BYTES, arena);
      Device.cuda(0).fill(twos, SIZE, 2);
      for (StepPlan plan : List.of(onDevice, offloaded)) {
        Engine backend =
            plan == onDevice
                ? Engine.of(Backends.cuda(0))
                : Engine.of(Backends.offload(Device.cuda(0)));
        step(backend, plan);
        assertData(-1, plan);
        Prepared prepared = plan.prepared();
        assertTrue(StepPlans.moveGradient(plan, twos));
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
  void objectsOfAnotherBackendAreRejected() {
    try (Arena arena = Arena.ofShared();
        StepPlan plan = plan(arena)) {
      Engine backend = Engine.of(Backends.cuda(0));
      for (Engine other :
          List.of(
              Engine.of(Backends.cuda(0)),
              Engine.of(Backends.scalar()),
              Engine.of(Backends.nativeCode()))) {
        try (NormDecision decision = other.newNormDecision()) {
          assertSays(
              "the decision is by another backend " + other.name(),
              () -> backend.step(plan, 1, decision));
        }
      }
      assertData(0, plan);
      assertSays(
          "the plan's parameters are on cuda:0",
          () -> Engine.of(Backends.scalar()).prepare(plan, null));
      assertSays(
          "update is backend cuda, but must be a backend of the cpu",
          () -> Backends.offload(DeviceStream.defaultOf(Device.cuda(0)), backend));
    }
  }
}
