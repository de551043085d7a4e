package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.EmulatedCuda;
import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Parameters are copied to the master copy again after this library has written them on the GPU.
@Tag("gpu")
class GpuMasterCopyTest {
  /// More than one slice.
  private static final int SIZE = 1_200_000;

  private static final int SMALL = 33;

  private static final float LEARNING_RATE = 0.5f;

  @BeforeEach
  void needsAGpu() {
    GpuTests.need(1);
  }

  @AfterEach
  void succeedAgain() {
    EmulatedCuda.succeed();
  }

  /// @param keeps whether there is a master copy
  static Backend offload(boolean keeps) {
    DeviceStream stream = DeviceStream.defaultOf(Device.cuda(0));
    Backend update = Backends.nativeCode();
    return keeps
        ? Backends.offloadWithMasterCopy(stream, update)
        : Backends.offload(stream, update);
  }

  private static final class Training implements AutoCloseable {
    final Device gpu = Device.cuda(0);
    final Parameters parameters =
        Parameters.builder().add("large", SIZE).add("small", SMALL).device(gpu).build();
    final Parameter large = parameters.get("large");
    final Parameter small = parameters.get("small");
    final Optimizer optimizer;
    final SplittableRandom random = new SplittableRandom(7);

    Training(boolean keeps, UnaryOperator<OptimizerBuilder<?>> changes) {
      optimizer =
          changes
              .apply(AdamW.builder(parameters).learningRate(LEARNING_RATE).backend(offload(keeps)))
              .build();
    }

    Training(boolean keeps) {
      this(keeps, builder -> builder);
    }

    void step() {
      for (Parameter each : parameters) {
        if (each.hasGradient()) {
          float[] numbers = new float[(int) each.size()];
          for (int i = 0; i < numbers.length; i++) {
            numbers[i] = random.nextInt(-1000, 1000) / 1000f;
          }
          each.copyGradientFrom(MemorySegment.ofArray(numbers));
        }
      }
      optimizer.step();
    }

    int[] bits() {
      int[] all = new int[SIZE + SMALL];
      large.copyDataTo(MemorySegment.ofArray(all).asSlice(0, SIZE * 4L));
      small.copyDataTo(MemorySegment.ofArray(all).asSlice(SIZE * 4L));
      return all;
    }

    @Override
    public void close() {
      optimizer.close();
      parameters.close();
    }
  }

  /// Writes by this library. The next step copies the written parameters to the master copy.
  private static Map<String, BiConsumer<Training, Arena>> writes() {
    float[] ones = new float[SMALL];
    Arrays.fill(ones, 1);
    Map<String, BiConsumer<Training, Arena>> all = new LinkedHashMap<>();
    all.put("nothing", (t, arena) -> {});
    all.put("copyDataFrom", (t, arena) -> t.small.copyDataFrom(MemorySegment.ofArray(ones)));
    all.put(
        "upload to a part",
        (t, arena) ->
            t.gpu.upload(MemorySegment.ofArray(ones), t.gpu.slice(t.large.data(), 4_100_000, 132)));
    all.put("fill", (t, arena) -> t.gpu.fill(t.large.data(), SIZE, 3));
    all.put(
        "copy in a stream",
        (t, arena) ->
            DeviceStream.defaultOf(t.gpu).copy(t.large.data(), t.small.data(), SMALL * 4));
    all.put(
        "zero in a stream",
        (t, arena) -> DeviceStream.defaultOf(t.gpu).zero(t.large.data(), SIZE * 4L));
    for (Backend other : Problem.gpuBackends()) {
      all.put(
          "a step of another optimizer on " + other.describe(),
          (t, arena) -> {
            try (Optimizer optimizer = Sgd.builder(t.parameters).backend(other).build()) {
              optimizer.step();
              optimizer.await();
            }
          });
    }
    all.put("loading states", (t, arena) -> t.optimizer.loadStateDict(t.optimizer.stateDict()));
    all.put("no gradient", (t, arena) -> t.small.removeGradient());
    all.put(
        "a gradient again", (t, arena) -> t.small.setGradient(t.gpu.allocate(SMALL * 4, arena)));
    all.put(
        "a kernel of another library",
        (t, arena) -> {
          writeElsewhere(t.small);
          t.small.dataWrittenElsewhere();
        });
    return all;
  }

  /// A write that this library does not see.
  private static void writeElsewhere(Parameter parameter) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment error = arena.allocate(PanoptimAbi.PANOPTIM_TEXT());
      int status =
          PanoptimAbi.panoptim_cuda_fill(
              0, MemorySegment.NULL, parameter.data(), 0x40, parameter.size() * 4, error);
      assertEquals(PanoptimAbi.PANOPTIM_OK(), status, () -> error.getString(0));
    }
  }

  @Test
  void everyWriteByThisLibraryIsNoticed() {
    try (Arena arena = Arena.ofShared();
        Training expected = new Training(false);
        Training actual = new Training(true)) {
      writes()
          .forEach(
              (name, write) -> {
                for (Training each : List.of(expected, actual)) {
                  write.accept(each, arena);
                  each.step();
                  each.step();
                }
                assertArrayEquals(expected.bits(), actual.bits(), name);
              });
    }
  }

  @Test
  void aWriteByOtherCodeIsNotNoticed() {
    try (Training expected = new Training(false);
        Training actual = new Training(true)) {
      for (Training each : List.of(expected, actual)) {
        each.step();
        writeElsewhere(each.small);
        each.step();
      }
      // 0x40404040 is a float of about 3.
      assertFalse(Arrays.equals(expected.bits(), actual.bits()));
    }
  }

  /// The figures of docs/gpu.md.
  @Test
  void bytesOfAStep() {
    EmulatedCuda.need();
    UnaryOperator<OptimizerBuilder<?>> plain = builder -> builder;
    UnaryOperator<OptimizerBuilder<?>> clipped = b -> b.options(o -> o.clipGradNorm(1));
    UnaryOperator<OptimizerBuilder<?>> copied = b -> b.halfPrecisionCopy(HalfPrecision.BFLOAT16);
    assertBytes(8, 4, new Training(false, plain), false);
    assertBytes(4, 4, new Training(true, plain), false);
    assertBytes(8, 4, new Training(true, plain), true);
    assertBytes(12, 4, new Training(false, clipped), false);
    assertBytes(8, 4, new Training(true, clipped), false);
    assertBytes(8, 6, new Training(false, copied), false);
    assertBytes(4, 6, new Training(true, copied), false);
  }

  /// @param down the expected bytes of an element from the GPU to the host
  /// @param up the expected bytes of an element from the host to the GPU
  /// @param first whether the first step is counted, and not the second
  private static void assertBytes(int down, int up, Training training, boolean first) {
    try (training) {
      if (!first) {
        training.optimizer.step();
      }
      long downBefore = EmulatedCuda.bytesDown();
      long upBefore = EmulatedCuda.bytesUp();
      training.optimizer.step();
      assertEquals(down * (long) (SIZE + SMALL), EmulatedCuda.bytesDown() - downBefore);
      assertEquals(up * (long) (SIZE + SMALL), EmulatedCuda.bytesUp() - upBefore);
    }
  }

  /// Updates that did not reach the GPU are lost, as without a master copy. The training goes on
  /// from the data on the GPU.
  @Test
  void afterAFailedStepTheDataOfTheGpuCount() {
    EmulatedCuda.need();
    int failures = 0;
    boolean failed;
    try (Parameters parameters =
            Parameters.builder().add("a", 2_200_000).device(Device.cuda(0)).build();
        Optimizer optimizer =
            Sgd.builder(parameters).learningRate(1).backend(offload(true)).build()) {
      Parameter a = parameters.get("a");
      int size = (int) a.size();
      float[] ones = new float[size];
      Arrays.fill(ones, 1);
      a.copyGradientFrom(MemorySegment.ofArray(ones));
      optimizer.step();
      do {
        EmulatedCuda.failAfter(failures, EmulatedCuda.ILLEGAL_ADDRESS);
        failed = false;
        try {
          optimizer.step();
        } catch (CudaException e) {
          failed = true;
          failures++;
        }
        EmulatedCuda.succeed();
        MemorySegment before = a.device().copyOf(a.data(), size * 4L);
        a.copyGradientFrom(MemorySegment.ofArray(new float[size]));
        optimizer.step();
        MemorySegment after = a.device().copyOf(a.data(), size * 4L);
        assertEquals(-1, before.mismatch(after), "after a failure at call " + failures);
        a.copyGradientFrom(MemorySegment.ofArray(ones));
      } while (failed);
    }
    assertTrue(failures > 10, "a step has only " + failures + " calls of CUDA");
  }
}
