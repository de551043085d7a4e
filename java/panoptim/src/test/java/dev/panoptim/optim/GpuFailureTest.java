package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.EmulatedCuda;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceEvent;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.memory.Collected;
import dev.panoptim.internal.memory.MemoryBudget;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.ThrowingSupplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// After a failed kernel, each call of CUDA returns the same error until the process ends. The test
/// runs on an emulated GPU, whose calls fail from a given call on.
class GpuFailureTest {
  private static final String TEXT =
      "an illegal memory access was encountered (cudaErrorIllegalAddress)";

  private static final int STRIDE = Boolean.getBoolean("panoptim.exhaustive") ? 1 : 3;

  /// More than a training needs on a slow and busy machine.
  private static final Duration LONG = Duration.ofMinutes(2);

  /// The kinds of memory that are freed at once. The garbage collector frees the other kinds later.
  private static final List<MemoryKind> FREED_AT_ONCE =
      List.of(
          MemoryKind.PARAMETERS,
          MemoryKind.GRADIENTS,
          MemoryKind.STATES,
          MemoryKind.HALF_PRECISION_COPIES,
          MemoryKind.PUBLICATIONS);

  @BeforeEach
  void needsAnEmulatedGpu() {
    EmulatedCuda.need();
    // The buffers of these copies are kept as long as the process lives.
    try (Arena arena = Arena.ofShared()) {
      Device gpu = Device.cuda(0);
      gpu.fill(gpu.allocate(4, arena), 1, 0);
    }
  }

  @AfterEach
  void succeedAgain() {
    EmulatedCuda.succeed();
  }

  enum Kind {
    CUDA(Backends::cuda),
    OFFLOAD(stream -> Backends.offload(stream, Backends.scalar())),
    OFFLOAD_WITH_MASTER_COPY(stream -> Backends.offloadWithMasterCopy(stream, Backends.scalar()));

    final Function<DeviceStream, Backend> backend;

    Kind(Function<DeviceStream, Backend> backend) {
      this.backend = backend;
    }
  }

  /// What a program holds, in the order of creation. Each part is closed even if another one fails.
  private static final class Held {
    private final List<AutoCloseable> parts = new ArrayList<>();
    private final List<CudaException> failures = new ArrayList<>();

    <T extends AutoCloseable> T add(T part) {
      parts.add(part);
      return part;
    }

    void closeAll() throws Exception {
      for (AutoCloseable each : parts.reversed()) {
        try {
          each.close();
        } catch (CudaException e) {
          failures.add(e);
        }
      }
      // A second close has nothing left that could fail. An arena of the JDK may be closed only
      // once.
      for (AutoCloseable each : parts.reversed()) {
        if (!(each instanceof Arena)) {
          each.close();
        }
      }
    }
  }

  private static void train(Held held, Backend backend, DeviceStream stream) {
    Device gpu = backend.device();
    Arena arena = held.add(Arena.ofShared());
    Parameters parameters = held.add(Parameters.builder().add("p", 1000).device(gpu).build());
    Parameter moving = Parameter.onDevice(gpu, "q", 5, gpu.allocate(20, arena));
    moving.setGradient(gpu.allocate(20, arena));
    DeviceEvent event = new DeviceEvent(gpu, arena);
    Optimizer optimizer =
        held.add(
            AdamW.builder(List.of(parameters.get("p"), moving))
                .backend(backend)
                .options(o -> o.clipGradNorm(1).skipNonFinite(true))
                .averageParameters(0.5)
                .halfPrecisionCopy(HalfPrecision.BFLOAT16)
                .publish()
                .build());
    moving.copyGradientFrom(MemorySegment.ofArray(new float[] {1, 2, 3, 4, 5}));
    optimizer.step();
    moving.setGradient(gpu.allocate(20, arena));
    StepReport report = optimizer.step();
    assertTrue(report.norm() >= 0);
    event.record(stream);
    event.await();
    optimizer.loadStateDict(optimizer.stateDict());
    optimizer.await();
    moving.copyDataTo(MemorySegment.ofArray(new float[5]));
  }

  /// The training fails at each of its calls of CUDA in turn, or at every third call without
  /// `-Pexhaustive`.
  @ParameterizedTest
  @EnumSource
  void afterAFailureAtAnyCallAllMemoryIsReleased(Kind kind) throws Exception {
    Memory before = Memory.now();
    long all = MemoryBudget.held();
    int calls = 0;
    while (assertTimeoutPreemptively(LONG, failure(kind, calls))) {
      assertEquals(before, Memory.now(), "after a failure at call " + calls);
      calls += STRIDE;
    }
    assertTrue(calls > 50, "a training has only " + calls + " calls of CUDA");
    Collected.await("the budget is given back", () -> MemoryBudget.held() <= all);
  }

  /// The bytes that are held.
  private record Memory(List<Long> onHost, long onDevices) {
    static Memory now() {
      return new Memory(
          FREED_AT_ONCE.stream().map(MemoryBudget::held).toList(), MemoryBudget.onDevices());
    }
  }

  /// @return whether the training has failed
  private static ThrowingSupplier<Boolean> failure(Kind kind, int calls) {
    return () -> {
      Held held = new Held();
      EmulatedCuda.failAfter(calls, EmulatedCuda.ILLEGAL_ADDRESS);
      try {
        DeviceStream stream = held.add(DeviceStream.create(Device.cuda(0)));
        train(held, kind.backend.apply(stream), stream);
      } catch (CudaException e) {
        held.failures.add(e);
      } finally {
        held.closeAll();
        EmulatedCuda.succeed();
      }
      for (CudaException each : held.failures) {
        assertTrue(each.getMessage().endsWith(TEXT), each::getMessage);
      }
      return !held.failures.isEmpty();
    };
  }

  @Test
  void eachLaterCallThrowsTheSameError() throws Exception {
    for (Backend backend : Problem.gpuBackends()) {
      Held held = new Held();
      Device gpu = backend.device();
      Parameters parameters = held.add(Parameters.builder().add("p", 9).device(gpu).build());
      DeviceStream stream = held.add(DeviceStream.create(gpu));
      Parameter p = parameters.get("p");
      Optimizer optimizer =
          held.add(
              AdamW.builder(parameters)
                  .backend(backend)
                  .options(o -> o.skipNonFinite(true))
                  .build());
      optimizer.step();
      EmulatedCuda.failAfter(0, EmulatedCuda.ILLEGAL_ADDRESS);
      MemorySegment here = MemorySegment.ofArray(new float[9]);
      List<Supplier<Object>> calls =
          List.of(
              optimizer::step,
              optimizer::stateDict,
              gpu::freeMemory,
              () -> DeviceStream.create(gpu),
              () -> gpu.allocate(4, Arena.ofAuto()),
              () -> gpu.allocatePinned(4, Arena.ofAuto()),
              () -> gpu.copyOf(p.data(), 36));
      List<Runnable> actions =
          List.of(
              optimizer::await,
              optimizer::zeroGrad,
              stream::await,
              () -> p.copyDataFrom(here),
              () -> p.copyDataTo(here),
              () -> stream.zero(p.gradient(), 36));
      for (int round = 0; round < 2; round++) {
        calls.forEach(each -> assertFails(each::get));
        actions.forEach(GpuFailureTest::assertFails);
      }
      held.closeAll();
      assertAll(
          () -> assertEquals(3, held.failures.size(), backend + ": " + held.failures),
          EmulatedCuda::succeed);
    }
  }

  private static void assertFails(Runnable call) {
    CudaException thrown = assertThrows(CudaException.class, call::run);
    assertTrue(thrown.getMessage().endsWith(TEXT), thrown::getMessage);
  }
}
