package dev.panoptim.optim;

import static dev.panoptim.Illegal.assertSays;
import static dev.panoptim.optim.GpuTest.withScalar;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.RowFormat;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.StepPlans;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// GPU memory: memory of the wrong device, too little memory, and freed memory.
///
/// The test runs twice: on an emulated GPU, and on the machine's own GPU if there is one.
@Tag("gpu")
class GpuMemoryTest {
  @BeforeEach
  void needsAGpu() {
    GpuTests.need(1);
  }

  @Test
  void accessToGpuMemoryFromJavaThrows() {
    Device gpu = Device.cuda(0);
    try (Parameters parameters = Parameters.builder().add("p", 8).device(gpu).build();
        Optimizer optimizer = AdamW.builder(parameters).build()) {
      Parameter p = parameters.get("p");
      assertEquals(gpu, p.device());
      optimizer.step();
      List<MemorySegment> all = new ArrayList<>(List.of(p.data(), p.gradient()));
      all.addAll(optimizer.state(p).values());
      assertEquals(4, all.size());
      for (MemorySegment each : all) {
        assertThrows(IndexOutOfBoundsException.class, () -> each.get(JAVA_FLOAT, 0));
        assertThrows(
            IndexOutOfBoundsException.class,
            () -> MemorySegment.copy(each, 0, MemorySegment.ofArray(new byte[4]), 0, 4));
      }
    }
  }

  @Test
  void memoryOfTheWrongDeviceIsRejected() {
    Device gpu = Device.cuda(0);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment there = gpu.allocate(32, arena);
      MemorySegment here = arena.allocate(32, 4);
      assertSays("must have 32 for 8 elements", () -> Parameter.of("p", 8, there));
      assertSays(
          "data of 'p' takes 32 bytes from address 0x"
              + Long.toHexString(here.address())
              + " on, which are not in the memory of cuda:0",
          () -> Parameter.onDevice(gpu, "p", 8, here));
      assertSays(
          "aligned to 4 bytes", () -> Parameter.onDevice(gpu, "p", 7, gpu.slice(there, 2, 28)));
      Parameter p = Parameter.onDevice(gpu, "p", 4, there);
      assertSays("not in the memory of cuda:0", () -> p.setGradient(here.asSlice(0, 16)));
      assertSays("not in the memory of cuda:0", () -> Parameter.onDevice(gpu, "p", 9, there));
      assertSays("share 12 bytes", () -> p.setGradient(gpu.slice(there, 4, 16)));
      p.setGradient(gpu.slice(there, 16, 16));
      assertSays(
          "parameter 'p' is on cuda:0, but backend native works on cpu",
          () -> AdamW.builder(List.of(p)).backend(Backends.nativeCode()).build());
      Parameter q = Parameter.of("q", 8, here);
      assertSays(
          "parameter 'q' is on cpu, but backend cuda works on cuda:0",
          () -> AdamW.builder(List.of(p, q)).build());
      assertSays("must have 16 for the 4 elements", () -> p.copyDataFrom(here));

      Row row = new Row("p", 4, p.data(), p.gradient(), List.of(), null, null);
      StepPlan plan = StepPlans.of(RowFormat.withoutStates(gpu), row);
      for (Backend backend : Problem.backends()) {
        assertSays(
            "the plan's parameters are on cuda:0 and its states on cuda:0, but backend "
                + backend.name(),
            () -> Engine.of(backend).step(plan, 1, null));
      }
    }
  }

  @Test
  void aFullGpuChangesNothing() {
    Device gpu = Device.cuda(0);
    try (Parameters parameters =
            Parameters.builder().add("p", 1000).add("q", 1 << 23).device(gpu).build();
        Optimizer optimizer = Adam.builder(parameters.all().subList(0, 1)).build()) {
      optimizer.step();
      optimizer.addParamGroup(parameters.all().subList(1, 2), Map.of());
      try (Arena arena = Arena.ofShared()) {
        fill(gpu, arena);
        CudaException thrown = assertThrows(CudaException.class, optimizer::step);
        assertTrue(thrown.getMessage().contains("out of memory"), thrown.getMessage());
      }
      assertEquals(1, optimizer.stepCount(parameters.get("p")));
      assertEquals(0, optimizer.stepCount(parameters.get("q")));
      optimizer.step();
      assertEquals(2, optimizer.stepCount(parameters.get("p")));
      assertEquals(1, optimizer.stepCount(parameters.get("q")));
    }
  }

  /// Allocates memory until no room is left for the states of 2^23 elements. The largest allocation
  /// may be smaller than the free memory, which is also in use by CUDA itself and other processes.
  private static void fill(Device gpu, Arena arena) {
    for (long bytes = gpu.freeMemory(); bytes >= 8 << 20; ) {
      try {
        gpu.allocate(bytes, arena);
      } catch (CudaException tooLarge) {
        bytes /= 2;
      }
    }
  }

  /// New plans and closed optimizers leave no memory allocated on the GPU.
  @Test
  void nothingIsLeftBehind() {
    for (Backend backend : Problem.gpuBackends()) {
      List<GpuTests.Usage> usage = usageAlongTheWay(backend);
      assertEquals(usage.get(1), usage.get(2), backend + " after new plans");
      assertEquals(usage.get(0), usage.get(3), backend + " after closing");
      assertTrue(
          usage.get(1).allocated() > usage.get(0).allocated() || !backend.name().equals("cuda"),
          () -> backend + " allocates no states: " + usage);
    }
  }

  @Test
  void aReportOutlivesItsOptimizer() {
    for (Backend backend : withScalar()) {
      StepReport report;
      try (Parameters parameters =
              Parameters.builder().add("p", 4).device(backend.device()).build();
          Optimizer optimizer =
              Sgd.builder(parameters)
                  .learningRate(1)
                  .backend(backend)
                  .options(o -> o.clipGradNorm(2))
                  .build()) {
        MemorySegment twos = MemorySegment.ofArray(new float[] {2, 2, 2, 2});
        parameters.get("p").copyGradientFrom(twos);
        report = optimizer.step();
      }
      assertEquals(4, report.norm(), backend::toString);
      assertEquals(0.5, report.clipFactor());
      assertFalse(report.skipped());
    }
  }

  @Test
  void aSecondGpuIsNotTheFirst() {
    GpuTests.need(2);
    Device second = Device.cuda(1);
    Case adamw = OptimizerCases.caseOf("adamw");
    Problem problem = new Problem(new long[] {5003, 17}, 0, 9, 4, false);
    assertNull(
        Problem.difference(
            problem.run(adamw, Backends.scalar(), 1), problem.run(adamw, Backends.cuda(1), 1)));
    try (Arena arena = Arena.ofShared()) {
      MemorySegment there = second.allocate(32, arena);
      assertSays(
          "not in the memory of cuda:0", () -> Parameter.onDevice(Device.cuda(0), "p", 8, there));
    }
  }

  @Test
  void memoryThatHasBeenFreedIsRejected() {
    Parameters parameters = Parameters.builder().add("p", 8).device(Device.cuda(0)).build();
    try (Optimizer optimizer = AdamW.builder(parameters).build()) {
      optimizer.step();
      parameters.close();
      assertThrows(IllegalStateException.class, optimizer::step);
      assertThrows(IllegalStateException.class, optimizer::zeroGrad);
    }
    DeviceStream closed = DeviceStream.create(Device.cuda(0));
    try (Parameters others = Parameters.builder().add("p", 8).device(Device.cuda(0)).build();
        Optimizer optimizer = AdamW.builder(others).backend(Backends.cuda(closed)).build()) {
      optimizer.step();
      closed.close();
      closed.close();
      assertThrows(IllegalStateException.class, optimizer::step);
      assertThrows(IllegalStateException.class, optimizer::await);
    }
  }

  @Test
  void tooMuchMemoryIsReportedWithCudasMessage() {
    // 4 TiB: more than a GPU has, and within its range of addresses.
    CudaException thrown =
        assertThrows(
            CudaException.class,
            () -> Parameters.builder().add("p", 1L << 40).device(Device.cuda(0)).build().close());
    String message = thrown.getMessage();
    // The words between are CUDA's description, which may differ between versions.
    assertTrue(
        message.startsWith("cudaMalloc: ") && message.endsWith(" (cudaErrorMemoryAllocation)"),
        message);
    assertTrue(Device.cuda(0).freeMemory() > 0);
  }

  /// @return the memory in use before the optimizer is built, after its first step, after more
  ///   steps, and at the end
  private static List<GpuTests.Usage> usageAlongTheWay(Backend backend) {
    Device gpu = backend.device();
    List<GpuTests.Usage> usage = new ArrayList<>();
    try (Arena arena = Arena.ofShared();
        Arena other = Arena.ofShared()) {
      Parameter p = Parameter.onDevice(gpu, "p", 50_000, gpu.allocate(200_000, arena));
      // The gradients are in different arenas, so that plans are created again.
      MemorySegment[] gradients = {gpu.allocate(200_000, arena), gpu.allocate(200_000, other)};
      usage.add(GpuTests.usage(gpu));
      try (Optimizer optimizer =
          Adam.builder(List.of(p))
              .backend(backend)
              .options(o -> o.clipGradNorm(1).skipNonFinite(true))
              .build()) {
        p.setGradient(gradients[0]);
        optimizer.step();
        optimizer.await();
        usage.add(GpuTests.usage(gpu));
        for (int i = 1; i < 20; i++) {
          p.setGradient(gradients[i % 2]);
          optimizer.step();
        }
        usage.add(GpuTests.usage(gpu));
      }
      usage.add(GpuTests.usage(gpu));
    }
    return usage;
  }
}
