package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
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
    return MixedCases.onGpus();
  }

  private static void assertSameBits(Case tested, Problem problem) {
    Map<String, int[]> expected = problem.run(tested, Backends.scalar(), 1);
    for (Backend backend : Problem.gpuBackends()) {
      String difference = Problem.difference(expected, problem.run(tested, backend, 2));
      assertNull(difference, () -> tested + " on " + backend + ", " + problem);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void atEverySize(Case tested) {
    long[] sizes =
        Boolean.getBoolean("panoptim.exhaustive")
            ? new long[] {0, 1, 3, 4, 5, 4095, 4096, 4097, CHUNK - 1, CHUNK, CHUNK + 1}
            : new long[] {0, 1, 5, 4097, CHUNK + 1};
    for (long size : sizes) {
      assertSameBits(tested, Problem.of(size, 100 + size, 2));
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void onUnalignedStreamsAndManyTensors(Case tested) {
    long[] sizes = {301, 0, 77, 3 * CHUNK + 5, 1, 4096};
    for (int shift = 0; shift < 4; shift += Boolean.getBoolean("panoptim.exhaustive") ? 1 : 3) {
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
    RandomRulesTest.rules(100).stream()
        .filter(rule -> !rule.needsCpu())
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
    for (Backend backend : Problem.gpuBackends()) {
      assertEquals(expected, train(backend, problem, changes), backend + ", " + problem);
    }
  }

  @Test
  void everyOptionOfAStepGivesTheSameBits() {
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

  static List<Backend> withScalar() {
    List<Backend> all = new ArrayList<>(List.of(Backends.scalar()));
    all.addAll(Problem.gpuBackends());
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
            Case.updateHessian(optimizer);
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
}
