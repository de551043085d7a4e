package dev.panoptim.optim;

import static dev.panoptim.optim.GpuTest.withScalar;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Streams of a GPU keep their order, and gradients may change their addresses at each step.
///
/// The test runs twice: on an emulated GPU, and on the machine's own GPU if there is one.
@Tag("gpu")
class GpuStreamsTest {
  @BeforeEach
  void needsAGpu() {
    GpuTests.need(1);
  }

  @Test
  void customStreamsKeepTheirOrder() {
    Problem problem = new Problem(new long[] {70_000}, 0, 6, 5, false);
    Case adam = OptimizerCases.caseOf("adam");
    Map<String, int[]> expected = problem.run(adam, Backends.scalar(), 1);
    try (DeviceStream first = DeviceStream.create(Device.cuda(0));
        DeviceStream second = DeviceStream.create(Device.cuda(0))) {
      assertNull(Problem.difference(expected, problem.run(adam, Backends.cuda(first), 1)));
      assertNull(Problem.difference(expected, problem.run(adam, Backends.cuda(second), 1)));
    }
  }

  /// Another stream has not computed the gradients yet when the step begins.
  @Test
  void anOffloadedStepWaitsForOtherStreams() {
    Device gpu = Device.cuda(0);
    try (DeviceStream stream = DeviceStream.create(gpu);
        Arena arena = Arena.ofShared();
        Parameters parameters = Parameters.builder().add("p", 100_000).device(gpu).build();
        Optimizer optimizer =
            Sgd.builder(parameters).learningRate(1).backend(Backends.offload(gpu)).build()) {
      Parameter p = parameters.get("p");
      MemorySegment pinned = gpu.allocatePinned(400_000, arena);
      for (int i = 0; i < 100_000; i++) {
        pinned.setAtIndex(JAVA_FLOAT, i, i);
      }
      stream.copy(pinned, p.gradient(), 400_000);
      optimizer.step();
      float[] data = new float[100_000];
      p.copyDataTo(MemorySegment.ofArray(data));
      for (int i = 0; i < data.length; i++) {
        assertEquals(0f - i, data[i]);
      }
    }
  }

  @Test
  void awaitWaitsForAStep() {
    try (DeviceStream stream = DeviceStream.create(Device.cuda(0));
        Parameters parameters = Parameters.builder().add("p", 1000).device(Device.cuda(0)).build();
        Arena arena = Arena.ofShared();
        Optimizer optimizer =
            Sgd.builder(parameters).learningRate(1).backend(Backends.cuda(stream)).build()) {
      float[] ones = new float[1000];
      java.util.Arrays.fill(ones, 1);
      Parameter p = parameters.get("p");
      p.copyGradientFrom(MemorySegment.ofArray(ones));
      MemorySegment pinned = Device.cuda(0).allocatePinned(4000, arena);
      optimizer.step();
      stream.copy(p.data(), pinned, 4000);
      optimizer.await();
      for (float each : pinned.toArray(JAVA_FLOAT)) {
        assertEquals(-1, each);
      }
    }
  }

  /// The rows are in more arenas than a call can hold, and each has its own coefficients.
  @Test
  void manyArenasAndStepCounts() {
    Map<String, int[]> expected = null;
    for (Backend backend : withScalar()) {
      List<Arena> arenas = new ArrayList<>();
      List<Parameter> parameters = new ArrayList<>();
      SplittableRandom random = new SplittableRandom(3);
      Problem problem = new Problem(new long[] {33}, 0, 3, 1, false);
      for (int i = 0; i < 40; i++) {
        arenas.add(Arena.ofShared());
        Parameter made = problem.parameters(arenas.getLast(), random, backend.device()).getFirst();
        parameters.add(Parameter.onDevice(backend.device(), "p" + i, 33, made.data()));
        parameters.getLast().setGradient(made.gradient());
      }
      try (Optimizer optimizer = Adam.builder(parameters).backend(backend).build()) {
        List<MemorySegment> gradients = parameters.stream().map(Parameter::gradient).toList();
        for (int step = 0; step < 6; step++) {
          for (int i = 0; i < 40; i++) {
            parameters.get(i).setGradient(gradients.get(i));
            problem.fillGradient(parameters.get(i), random);
            if (i % (step + 1) == 1) {
              parameters.get(i).removeGradient();
            }
          }
          optimizer.step();
        }
        Map<String, int[]> bits = Problem.bits(optimizer, parameters);
        expected = expected == null ? bits : expected;
        assertNull(Problem.difference(expected, bits), backend::toString);
      }
      arenas.forEach(Arena::close);
    }
  }

  @Test
  void gradientsAreClippedInPlace() {
    Problem problem = new Problem(new long[] {20_000, 3}, 0, 2, 1, false);
    List<int[]> expected = null;
    for (Device device : List.of(Device.cpu(), Device.cuda(0))) {
      try (Arena arena = Arena.ofShared()) {
        SplittableRandom random = new SplittableRandom(problem.seed());
        List<Parameter> parameters = problem.parameters(arena, random, device);
        for (Parameter each : parameters) {
          problem.fillGradient(each, random);
        }
        double norm = Gradients.clipGradNorm(parameters, 0.5);
        Gradients.clipGradValue(parameters, 0.001);
        List<int[]> found = new ArrayList<>();
        for (Parameter each : parameters) {
          int[] bits = new int[(int) each.size()];
          each.copyGradientTo(MemorySegment.ofArray(bits));
          found.add(bits);
        }
        found.add(new int[] {Float.floatToIntBits((float) norm)});
        expected = expected == null ? found : expected;
        for (int i = 0; i < found.size(); i++) {
          assertArrayEquals(expected.get(i), found.get(i));
        }
      }
    }
  }

  /// A framework may create a new tensor for each step, in the same memory or in other memory.
  @Test
  void gradientsMove() {
    Device gpu = Device.cuda(0);
    try (Arena arena = Arena.ofShared();
        Parameters expected = Parameters.builder().add("p", 5000).build();
        Optimizer there = Adam.builder(expected).backend(Backends.scalar()).build()) {
      Parameter p = Parameter.onDevice(gpu, "p", 5000, gpu.allocate(20_000, arena));
      try (Optimizer optimizer = Adam.builder(List.of(p)).build()) {
        MemorySegment[] gradients = {gpu.allocate(20_000, arena), gpu.allocate(20_000, arena)};
        SplittableRandom random = new SplittableRandom(1);
        for (int step = 0; step < 8; step++) {
          float[] numbers = new float[5000];
          for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) random.nextDouble(-1, 1);
          }
          p.setGradient(gradients[step / 2 % 2].asSlice(0));
          p.copyGradientFrom(MemorySegment.ofArray(numbers));
          expected.get("p").copyGradientFrom(MemorySegment.ofArray(numbers));
          optimizer.step();
          there.step();
        }
        assertNull(
            Problem.difference(
                Problem.bits(there, expected.all()), Problem.bits(optimizer, List.of(p))));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void gradientsMoveToOtherPlaces(GradientPlacesTest.Places where) {
    List<Backend> all = new ArrayList<>(Problem.gpuBackends(Backends.nativeCode()));
    // The update in Java takes several times as long as the one in C++.
    boolean inJavaToo =
        Boolean.getBoolean("panoptim.exhaustive") || where == GradientPlacesTest.Places.ANY_ARENA;
    if (inJavaToo) {
      all.addAll(Problem.gpuBackends().subList(1, 3));
    }
    for (Backend backend : all) {
      Map<String, int[]> bits =
          GradientPlacesTest.train(backend, where, GradientPlacesTest.Expected.SEED);
      String difference = Problem.difference(GradientPlacesTest.Expected.BITS, bits);
      assertNull(difference, () -> backend + ", " + where);
    }
  }

  @Test
  void gradientsComeAndGo() {
    for (Backend backend : Problem.gpuBackends()) {
      try (Parameters parameters =
              Parameters.builder().add("p", 9).add("q", 5).device(backend.device()).build();
          Optimizer optimizer =
              Adagrad.builder(parameters)
                  .initialAccumulator(0.5)
                  .backend(backend)
                  .options(o -> o.clipGradNorm(1).skipNonFinite(true))
                  .build()) {
        MemorySegment gradient = parameters.get("q").gradient();
        parameters.get("q").removeGradient();
        optimizer.step();
        assertEquals(1, optimizer.stepCount(parameters.get("p")));
        assertEquals(0, optimizer.stepCount(parameters.get("q")));
        parameters.get("q").setGradient(gradient);
        optimizer.step();
        assertEquals(1, optimizer.stepCount(parameters.get("q")));
        optimizer.zeroGrad();
        MemorySegment sums =
            optimizer.stateDict().parameters().get("q").states().get("secondMoment");
        for (int each : sums.toArray(JAVA_INT)) {
          assertEquals(Float.floatToIntBits(0.5f), each);
        }
        optimizer.zeroGrad(true);
        assertFalse(parameters.get("p").hasGradient());
        assertEquals(0, optimizer.step().updatedParameters());
        assertEquals(0, optimizer.report().norm());
        optimizer.zeroGrad();
      }
    }
  }
}
