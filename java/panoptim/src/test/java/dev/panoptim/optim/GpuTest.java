package dev.panoptim.optim;

import static dev.panoptim.Illegal.assertSays;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Rule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// On a GPU, every kind of training gives the bits of the scalar backend, even if its states move
/// between devices.
///
/// The test runs twice: on an emulated GPU, which runs the work of its streams only when a caller
/// waits; and on the machine's own GPU if there is one.
@Tag("gpu")
class GpuTest {
  private static final int CHUNK = 16384;

  @BeforeEach
  void needsAGpu() {
    GpuTests.need(1);
  }

  static List<Case> cases() {
    return OptimizerCases.cases();
  }

  private static void assertSameBits(Case tested, Problem problem) {
    Map<String, int[]> expected = problem.run(tested, Backends.scalar(), 1);
    for (Backend backend : Problem.cardBackends()) {
      String difference = Problem.difference(expected, problem.run(tested, backend, 2));
      assertNull(difference, () -> tested + " on " + backend + ", " + problem);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void atEverySize(Case tested) {
    for (long size : new long[] {0, 1, 3, 4, 5, 4095, 4096, 4097, CHUNK - 1, CHUNK, CHUNK + 1}) {
      assertSameBits(tested, Problem.of(size, 100 + size, 2));
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void onUnalignedStreamsAndManyTensors(Case tested) {
    long[] sizes = {301, 0, 77, 3 * CHUNK + 5, 1, 4096};
    for (int shift = 0; shift < 4; shift++) {
      assertSameBits(tested, new Problem(sizes, shift, shift, 2, true));
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void afterManySteps(Case tested) {
    assertSameBits(tested, new Problem(new long[] {133, 16}, 0, 5, 120, false));
  }

  @Test
  void withRandomRules() {
    RandomRulesTest.rules(100)
        .forEach(
            rule ->
                assertSameBits(
                    RandomRulesTest.described(rule),
                    new Problem(new long[] {67, 16, 5003}, 1, RandomRulesTest.SEED, 12, true)));
  }

  @Test
  void slicesOfMoreThanOneSlotKeepTheOrder() {
    long[] sizes = {700_000, 5, 2_500_001, 100, 600_000};
    assertSameBits(OptimizerCases.caseOf("adamw"), new Problem(sizes, 0, 3, 2, false));
  }

  /// A training with all options of a step.
  private static Map<String, Object> train(
      Backend backend, Problem problem, UnaryOperator<OptimizerBuilder<?>> changes) {
    try (Arena arena = Arena.ofShared()) {
      SplittableRandom random = new SplittableRandom(problem.seed());
      List<Parameter> parameters = problem.parameters(arena, random, backend.device());
      Map<String, Object> all = new LinkedHashMap<>();
      try (Optimizer optimizer =
          changes.apply(AdamW.builder(parameters).learningRate(0.1).backend(backend)).build()) {
        for (int step = 0; step < problem.steps(); step++) {
          for (Parameter each : parameters) {
            problem.fillGradient(each, random);
          }
          optimizer.step();
          if (step % 2 == 0) {
            StepReport report = optimizer.report();
            all.put("report " + step, report.toString() + report.updatedParameters());
          }
        }
        Problem.bits(optimizer, parameters).forEach((name, bits) -> all.put(name, list(bits)));
        for (Parameter each : parameters) {
          int[] gradient = new int[(int) each.size()];
          each.copyGradientTo(MemorySegment.ofArray(gradient));
          all.put(each.name() + " gradient", list(gradient));
          all.put(each.name() + " steps", optimizer.stepCount(each));
          if (optimizer.hasHalfPrecisionCopies() && optimizer.stepCount(each) > 0) {
            MemorySegment halfPrecisionCopy =
                each.device().copyOf(optimizer.halfPrecisionCopy(each), each.size() * Short.BYTES);
            all.put(each.name() + " halfPrecisionCopy", List.of(hex(halfPrecisionCopy)));
          }
        }
      }
      return all;
    }
  }

  private static String hex(MemorySegment halfPrecisionCopy) {
    StringBuilder text = new StringBuilder();
    for (short each : halfPrecisionCopy.toArray(JAVA_SHORT)) {
      text.append(Integer.toHexString(each & 0xffff)).append(' ');
    }
    return text.toString();
  }

  private static List<Integer> list(int[] bits) {
    return java.util.Arrays.stream(bits).boxed().toList();
  }

  private static void assertSameTraining(
      Problem problem, UnaryOperator<OptimizerBuilder<?>> changes) {
    Map<String, Object> expected = train(Backends.scalar(), problem, changes);
    for (Backend backend : Problem.cardBackends()) {
      assertEquals(expected, train(backend, problem, changes), backend + ", " + problem);
    }
  }

  @Test
  void everyOptionOfAStepHasTheSameConsequences() {
    for (boolean special : new boolean[] {false, true}) {
      Problem problem = new Problem(new long[] {40_000, 5, 0, 2100}, 1, 8, 7, special);
      assertSameTraining(problem, b -> b.options(o -> o.clipGradValue(0.25).gradientScale(0.5)));
      assertSameTraining(problem, b -> b.options(o -> o.clipGradNorm(0.5).zeroGrad(true)));
      assertSameTraining(
          problem, b -> b.averageParameters(0.9).halfPrecisionCopy(HalfPrecision.FLOAT16));
      assertSameTraining(
          problem,
          b ->
              b.options(
                      o ->
                          o.clipGradNorm(0.5)
                              .clipGradValue(0.01)
                              .gradientScale(1.0 / 3)
                              .skipNonFinite(true)
                              .zeroGrad(true))
                  .averageParameters(0.9)
                  .halfPrecisionCopy(HalfPrecision.BFLOAT16));
    }
  }

  /// Some steps are skipped. The result must not depend on whether the report is read before the
  /// next step.
  @Test
  void aSkippedStepIsNotCounted() {
    for (boolean asks : new boolean[] {false, true}) {
      Map<String, int[]> expected = null;
      for (Backend backend : withScalar()) {
        try (Parameters parameters =
                Parameters.builder().add("p", 100).device(backend.device()).build();
            Optimizer optimizer =
                NAdam.builder(parameters)
                    .backend(backend)
                    .options(o -> o.skipNonFinite(true))
                    .build()) {
          Parameter p = parameters.get("p");
          int made = 0;
          for (int step = 0; step < 9; step++) {
            float[] gradient = new float[100];
            java.util.Arrays.fill(gradient, step % 3 == 1 ? Float.NaN : 0.1f * step);
            p.copyGradientFrom(MemorySegment.ofArray(gradient));
            StepReport report = optimizer.step();
            made += step % 3 == 1 ? 0 : 1;
            if (asks) {
              assertEquals(step % 3 == 1, report.skipped(), backend + " at " + step);
              assertEquals(made, optimizer.stepCount(p));
            }
          }
          assertEquals(6, optimizer.stepCount(p));
          Map<String, int[]> bits = Problem.bits(optimizer, parameters.all());
          expected = expected == null ? bits : expected;
          assertNull(Problem.difference(expected, bits), backend::toString);
        }
      }
    }
  }

  private static List<Backend> withScalar() {
    List<Backend> all = new ArrayList<>(List.of(Backends.scalar()));
    all.addAll(Problem.cardBackends());
    return all;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void statesMoveBetweenDevicesInMidTraining(Case tested) {
    Problem problem = new Problem(new long[] {301, 5000}, 0, 4, 12, false);
    Map<String, int[]> expected = problem.run(tested, Backends.scalar(), 1);
    List<Backend> path =
        List.of(
            Backends.scalar(),
            Backends.cuda(0),
            Backends.auto(),
            Backends.offload(Device.cuda(0)),
            Backends.cuda(0),
            Backends.scalar());
    SplittableRandom random = new SplittableRandom(problem.seed());
    StateDict state = null;
    List<int[]> data = null;
    Map<String, int[]> actual = null;
    for (Backend backend : path) {
      try (Arena arena = Arena.ofShared()) {
        List<Parameter> parameters =
            problem.parameters(
                arena, state == null ? random : new SplittableRandom(1), backend.device());
        try (Optimizer optimizer = tested.builder().apply(parameters).backend(backend).build()) {
          if (state != null) {
            for (int i = 0; i < parameters.size(); i++) {
              parameters.get(i).copyDataFrom(MemorySegment.ofArray(data.get(i)));
            }
            optimizer.loadStateDict(state);
          }
          for (int step = 0; step < problem.steps() / path.size(); step++) {
            for (Parameter each : parameters) {
              problem.fillGradient(each, random);
            }
            optimizer.step();
          }
          state = optimizer.stateDict();
          data = new ArrayList<>();
          for (Parameter each : parameters) {
            int[] bits = new int[(int) each.size()];
            each.copyDataTo(MemorySegment.ofArray(bits));
            data.add(bits);
          }
          actual = Problem.bits(optimizer, parameters);
        }
      }
    }
    assertNull(Problem.difference(expected, actual));
  }

  @Test
  void streamsOfOnesOwnKeepTheirOrder() {
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

  @Test
  void whatJavaCannotReachIsAnException() {
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
  void memoryOfTheWrongDeviceIsRefused() {
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

      StepPlan.Row row = new StepPlan.Row("p", 4, p.data(), p.gradient(), List.of(), null, null);
      Rule sgd = Rule.builder().build();
      StepPlan plan = StepPlan.of(sgd, gpu, gpu, List.of(List.of(row)), false, null).getFirst();
      for (Backend backend : Problem.backends()) {
        assertSays(
            "the plan's parameters are on cuda:0 and its states on cuda:0, but backend "
                + backend.name(),
            () -> Engine.of(backend).step(plan, 1));
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
  void aGpuThatIsFullChangesNothing() {
    Device gpu = Device.cuda(0);
    try (Parameters parameters =
            Parameters.builder().add("p", 1000).add("q", 1 << 25).device(gpu).build();
        Optimizer optimizer = Adam.builder(parameters.all().subList(0, 1)).build()) {
      optimizer.step();
      optimizer.addParamGroup(parameters.all().subList(1, 2), Map.of());
      try (Arena arena = Arena.ofShared()) {
        gpu.allocate(gpu.freeMemory() - (64 << 20), arena);
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

  /// New plans and closed optimizers leave no memory allocated on the GPU.
  @Test
  void nothingIsLeftBehind() {
    for (Backend backend : Problem.cardBackends()) {
      // The first kernels allocate memory for CUDA itself.
      freeMemoryAlongTheWay(backend);
      List<Long> free = freeMemoryAlongTheWay(backend);
      assertEquals(free.get(1), free.get(2), backend + " after plans that were made anew");
      assertEquals(free.get(0), free.get(3), backend + " after closing");
    }
  }

  /// @return the free memory before the optimizer is built, after its first step, after more steps,
  ///   and at the end
  private static List<Long> freeMemoryAlongTheWay(Backend backend) {
    Device gpu = backend.device();
    List<Long> free = new ArrayList<>();
    try (Arena arena = Arena.ofShared();
        Arena other = Arena.ofShared()) {
      Parameter p = Parameter.onDevice(gpu, "p", 50_000, gpu.allocate(200_000, arena));
      // The gradients are in different arenas, so that plans are created again.
      MemorySegment[] gradients = {gpu.allocate(200_000, arena), gpu.allocate(200_000, other)};
      free.add(gpu.freeMemory());
      try (Optimizer optimizer =
          Adam.builder(List.of(p))
              .backend(backend)
              .options(o -> o.clipGradNorm(1).skipNonFinite(true))
              .build()) {
        p.setGradient(gradients[0]);
        optimizer.step();
        optimizer.await();
        free.add(gpu.freeMemory());
        for (int i = 1; i < 20; i++) {
          p.setGradient(gradients[i % 2]);
          optimizer.step();
        }
        free.add(gpu.freeMemory());
      }
      free.add(gpu.freeMemory());
    }
    return free;
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
  void memoryThatHasBeenFreedIsRefused() {
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
  void tooMuchMemoryIsRefusedInCudasWords() {
    CudaException thrown =
        assertThrows(
            CudaException.class,
            () -> Parameters.builder().add("p", 1L << 50).device(Device.cuda(0)).build().close());
    assertEquals("cudaMalloc: out of memory (cudaErrorMemoryAllocation)", thrown.getMessage());
    assertTrue(Device.cuda(0).freeMemory() > 0);
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
    Map<String, int[]> expected =
        GradientPlacesTest.train(Backends.scalar(), GradientPlacesTest.Places.STAY, 5);
    for (Backend backend : Problem.cardBackends()) {
      String difference = Problem.difference(expected, GradientPlacesTest.train(backend, where, 5));
      assertNull(difference, () -> backend + ", " + where);
    }
  }

  @Test
  void gradientsComeAndGo() {
    for (Backend backend : Problem.cardBackends()) {
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
