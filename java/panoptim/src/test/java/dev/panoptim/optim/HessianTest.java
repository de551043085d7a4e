package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.Allocations;
import dev.panoptim.Illegal;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
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
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// [Optimizer#updateHessian()] changes Sophia's second moment and nothing else.
class HessianTest {
  private static final int SIZE = 40_000;

  static List<Backend> backends() {
    return Problem.backends();
  }

  private static void refused(String words, Runnable action) {
    Illegal.assertSays(IllegalStateException.class, words, action);
  }

  private static Parameters parameters(Backend backend) {
    Parameters parameters =
        Parameters.builder()
            .add("sophia", SIZE)
            .add("small", 33)
            .add("adamw", 999)
            .device(backend.device())
            .build();
    gradients(parameters, 1);
    return parameters;
  }

  private static void gradients(Parameters parameters, int stream) {
    for (Parameter each : parameters) {
      MemorySegment numbers = MemorySegment.ofArray(new float[(int) each.size()]);
      GoldenTest.fill(numbers, stream, true);
      each.copyGradientFrom(numbers);
    }
  }

  private static GroupsBuilder builder(Parameters parameters, Backend backend) {
    return Optimizer.builder()
        .group(AdamW.builder(List.of(parameters.get("adamw"))))
        .group(
            Sophia.builder(List.of(parameters.get("sophia"), parameters.get("small")))
                .learningRate(0.1))
        .backend(backend)
        .threads(3);
  }

  /// All bytes of an optimizer by name, but for the Hessian.
  private static Map<String, byte[]> bytes(Optimizer optimizer, Parameters parameters) {
    Map<String, byte[]> all = new LinkedHashMap<>();
    StateDict state = optimizer.stateDict();
    for (Parameter each : parameters) {
      all.put(each.name(), bytes(each, each.data(), each.size() * Float.BYTES));
      MemorySegment copy = optimizer.halfPrecisionCopy(each);
      all.put("copy of " + each.name(), bytes(each, copy, each.size() * Short.BYTES));
      all.put("publication of " + each.name(), published(optimizer, each));
      all.put("steps of " + each.name(), new byte[] {(byte) optimizer.stepCount(each)});
      state
          .parameters()
          .get(each.name())
          .states()
          .forEach(
              (name, segment) -> {
                if (!name.equals("secondMoment") || each.name().equals("adamw")) {
                  all.put(name + " of " + each.name(), segment.toArray(JAVA_BYTE));
                }
              });
    }
    return all;
  }

  private static byte[] bytes(Parameter parameter, MemorySegment memory, long size) {
    return parameter.device().copyOf(memory, size).toArray(JAVA_BYTE);
  }

  private static byte[] published(Optimizer optimizer, Parameter parameter) {
    return optimizer.publication().read(from -> from.data(parameter).toArray(JAVA_BYTE));
  }

  private static float[] hessian(Optimizer optimizer, String name) {
    return optimizer
        .stateDict()
        .parameters()
        .get(name)
        .states()
        .get("secondMoment")
        .toArray(JAVA_FLOAT);
  }

  /// Data that other code has written after the step must reach neither copies nor averages.
  static void changesTheHessianAlone(Backend backend) {
    try (Parameters parameters = parameters(backend);
        Optimizer optimizer =
            builder(parameters, backend)
                .averageParameters(0.9)
                .halfPrecisionCopy(HalfPrecision.BFLOAT16)
                .publish()
                .build()) {
      optimizer.step();
      for (Parameter each : parameters) {
        each.device().fill(each.data(), each.size(), 3);
      }
      for (boolean skips : new boolean[] {false, true}) {
        optimizer.options().skipNonFinite(skips);
        Map<String, byte[]> before = bytes(optimizer, parameters);
        assertEquals(19, before.size());
        float[] hessian = hessian(optimizer, "sophia");
        StepReport report = optimizer.updateHessian();
        assertSame(optimizer.report(), report);
        assertFalse(report.skipped());
        assertEquals(2, report.updatedParameters());
        Map<String, byte[]> after = bytes(optimizer, parameters);
        before.forEach((name, bytes) -> assertArrayEquals(bytes, after.get(name), name));
        assertTrue(hessian(optimizer, "sophia")[7] > hessian[7]);
      }
      optimizer.options().skipNonFinite(false);
      byte[] copy = bytes(optimizer, parameters).get("copy of small");
      optimizer.step();
      Parameter small = parameters.get("small");
      assertEquals(2, optimizer.stepCount(small));
      byte[] after = bytes(optimizer, parameters).get("copy of small");
      assertFalse(Arrays.equals(copy, after), "steps no longer write copies");
      assertArrayEquals(bytes(small, small.data(), 33 * Float.BYTES), published(optimizer, small));
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void itChangesTheHessianAlone(Backend backend) {
    changesTheHessianAlone(backend);
  }

  /// `h = beta2 * h + (1 - beta2) * s * s`, where s is scaled and clipped to a value, not to a
  /// norm.
  static void followsTheOptions(Backend backend) {
    try (Parameters parameters = parameters(backend);
        Optimizer optimizer =
            builder(parameters, backend)
                .options(
                    o -> o.gradientScale(0.5).clipGradNorm(1e-3).clipGradValue(0.25).zeroGrad(true))
                .build()) {
      double[] expected = new double[33];
      for (int step = 1; step <= 4; step++) {
        gradients(parameters, step);
        float[] gradient = gradient(parameters.get("small"));
        for (int i = 0; i < expected.length; i++) {
          double used = Math.clamp(0.5 * gradient[i], -0.25, 0.25);
          expected[i] = 0.99 * expected[i] + 0.01 * used * used;
        }
        optimizer.updateHessian();
        float[] hessian = hessian(optimizer, "small");
        for (int i = 0; i < expected.length; i++) {
          assertEquals(expected[i], hessian[i], 4e-7 * expected[i], "step " + step + " at " + i);
        }
        for (Parameter each : parameters) {
          assertArrayEquals(new float[(int) each.size()], gradient(each), each.name());
        }
        optimizer.step();
      }
    }
  }

  private static float[] gradient(Parameter parameter) {
    float[] numbers = new float[(int) parameter.size()];
    parameter.copyGradientTo(MemorySegment.ofArray(numbers));
    return numbers;
  }

  @ParameterizedTest
  @MethodSource("backends")
  void itFollowsTheOptionsExceptTheNorm(Backend backend) {
    followsTheOptions(backend);
  }

  static void skipsGradientsThatAreNotFinite(Backend backend) {
    try (Parameters parameters = parameters(backend);
        Optimizer optimizer =
            builder(parameters, backend).options(o -> o.skipNonFinite(true)).build()) {
      optimizer.step();
      optimizer.updateHessian();
      float[] before = hessian(optimizer, "sophia");
      Parameter small = parameters.get("small");
      Parameter adamw = parameters.get("adamw");
      fillGradient(adamw, Float.NaN);
      assertFalse(optimizer.updateHessian().skipped(), "the gradient is another group's");
      float[] finite = hessian(optimizer, "sophia");
      assertTrue(finite[7] > before[7]);
      fillGradient(small, Float.POSITIVE_INFINITY);
      optimizer.options().zeroGrad(true);
      StepReport report = optimizer.updateHessian();
      assertTrue(report.skipped());
      assertEquals(0, report.updatedParameters());
      assertArrayEquals(finite, hessian(optimizer, "sophia"));
      for (Parameter each : parameters) {
        assertArrayEquals(new float[(int) each.size()], gradient(each), each.name());
      }
      gradients(parameters, 5);
      assertFalse(optimizer.step().skipped());
      assertEquals(2, optimizer.stepCount(small));
      fillGradient(small, Float.POSITIVE_INFINITY);
      optimizer.options().skipNonFinite(false);
      optimizer.updateHessian();
      assertEquals(Float.POSITIVE_INFINITY, hessian(optimizer, "small")[3]);
    }
  }

  private static void fillGradient(Parameter parameter, float value) {
    parameter.device().fill(parameter.gradient(), parameter.size(), value);
  }

  @ParameterizedTest
  @MethodSource("backends")
  void itSkipsGradientsThatAreNotFinite(Backend backend) {
    skipsGradientsThatAreNotFinite(backend);
  }

  /// @param savedAt the number of calls after which another optimizer continues; negative for none
  private static Map<String, int[]> training(int savedAt) {
    Problem problem = new Problem(new long[] {33, 20_000, 5}, 0, 7, 0, false);
    try (Arena arena = Arena.ofShared()) {
      SplittableRandom random = new SplittableRandom(7);
      List<Parameter> all = problem.parameters(arena, random, Backends.scalar().device());
      Optimizer optimizer = Sophia.builder(all).learningRate(0.1).build();
      for (int call = 0; call < 8; call++) {
        all.forEach(each -> problem.fillGradient(each, random));
        if (call % 3 == 0) {
          optimizer.updateHessian();
        } else {
          optimizer.step();
        }
        if (call == savedAt) {
          StateDict state = optimizer.stateDict();
          optimizer.close();
          optimizer = Sophia.builder(all).learningRate(0.1).build();
          optimizer.loadStateDict(state);
        }
      }
      Map<String, int[]> bits = Problem.bits(optimizer, all);
      optimizer.close();
      return bits;
    }
  }

  /// At call 0 there are a Hessian and no steps.
  @ParameterizedTest
  @ValueSource(ints = {0, 2, 3, 4})
  void aSavedTrainingContinues(int savedAt) {
    assertNull(Problem.difference(training(-1), training(savedAt)));
  }

  @Test
  void loadingAFreshStateForgetsTheHessian() {
    try (Parameters parameters = parameters(Backends.scalar());
        Optimizer optimizer = builder(parameters, Backends.scalar()).build()) {
      StateDict fresh = optimizer.stateDict();
      optimizer.updateHessian();
      assertEquals(List.of(), List.copyOf(optimizer.state(parameters.get("adamw")).keySet()));
      assertEquals(2, optimizer.state(parameters.get("small")).size());
      optimizer.loadStateDict(fresh);
      assertEquals(0, optimizer.state(parameters.get("small")).size());
      optimizer.step();
      assertArrayEquals(new float[33], hessian(optimizer, "small"));
    }
  }

  @Test
  void parametersWithoutAGradientAreSkipped() {
    try (Parameters parameters = parameters(Backends.scalar());
        Optimizer optimizer = builder(parameters, Backends.scalar()).build()) {
      optimizer.step();
      parameters.get("small").removeGradient();
      assertEquals(1, optimizer.updateHessian().updatedParameters());
      assertEquals(0, hessian(optimizer, "small")[3]);
      parameters.forEach(Parameter::removeGradient);
      assertEquals(0, optimizer.updateHessian().updatedParameters());
    }
  }

  @Test
  void hooksDoNotRun() {
    try (Parameters parameters = parameters(Backends.scalar());
        Optimizer optimizer = builder(parameters, Backends.scalar()).build()) {
      int[] runs = {0};
      Consumer<Optimizer> counts = any -> runs[0]++;
      optimizer.addStepPreHook(counts);
      optimizer.addStepPostHook(counts);
      optimizer.updateHessian();
      assertEquals(0, runs[0]);
      optimizer.addStepPostHook(Optimizer::updateHessian);
      refused("hook", optimizer::step);
    }
  }

  @Test
  void withoutARuleThatHasAHessianItIsRefused() {
    try (Parameters parameters = parameters(Backends.scalar());
        Optimizer optimizer = RAdam.builder(parameters).build()) {
      refused("no group has a rule that measures the Hessian", optimizer::updateHessian);
      assertTrue(optimizer.state(parameters.get("small")).isEmpty());
      optimizer.close();
      refused("closed", optimizer::updateHessian);
    }
  }

  @Test
  void duringAnEvaluationItIsRefused() {
    try (Parameters parameters = parameters(Backends.scalar());
        Optimizer optimizer =
            Optimizer.builder()
                .group(ScheduleFreeSgd.builder(List.of(parameters.get("adamw"))))
                .group(Sophia.builder(List.of(parameters.get("small"))))
                .build()) {
      optimizer.eval();
      refused("call train()", optimizer::updateHessian);
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void closedMemoryIsFoundBeforeTheFirstChange(Backend backend) {
    Arena arena = Arena.ofShared();
    try (Parameters parameters = parameters(backend)) {
      Parameter dying = Parameter.of("dying", 33, arena.allocate(132, 4));
      dying.setGradient(arena.allocate(132, 4));
      try (Optimizer optimizer =
          Sophia.builder(List.of(parameters.get("small"), dying)).backend(backend).build()) {
        optimizer.step();
        arena.close();
        refused("'dying'", optimizer::updateHessian);
        assertArrayEquals(new float[33], hessian(optimizer, "small"));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void itAllocatesNothing(boolean skips) {
    try (Parameters parameters = parameters(Backends.nativeCode());
        Optimizer optimizer =
            builder(parameters, Backends.nativeCode())
                .averageParameters(0.9)
                .options(o -> o.skipNonFinite(skips))
                .build()) {
      Allocations.assertNone(
          "Hessian",
          2000,
          () -> {
            optimizer.step();
            optimizer.updateHessian();
          });
    }
  }
}
