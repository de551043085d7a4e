package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Groups with different rules in one optimizer give the bits of separate optimizers.
class SeveralRulesTest {
  private static final Problem PROBLEM =
      new Problem(new long[] {301, 17, 40_003, 64, 0, 4097}, 0, 77, 5, false);

  static List<Case> cases() {
    return MixedCases.cases();
  }

  /// All backends that do not refuse a case; those of a GPU only if there is one.
  private static List<Backend> backends(Case tested) {
    return tested.needsCpu() ? Problem.backends() : backends();
  }

  /// All backends; those of a GPU only if there is one.
  private static List<Backend> backends() {
    List<Backend> all = new ArrayList<>(Problem.backends());
    if (Device.cudaCount() > 0) {
      all.addAll(Problem.gpuBackends());
    }
    return all;
  }

  /// The parameters of each preset of a case: they take turns.
  private static List<List<Parameter>> byPreset(Case tested, List<Parameter> all) {
    List<List<Parameter>> parts = new ArrayList<>();
    for (int k = 0; k < tested.presets().size(); k++) {
      List<Parameter> part = new ArrayList<>();
      for (int i = k; i < all.size(); i += tested.presets().size()) {
        part.add(all.get(i));
      }
      parts.add(part);
    }
    return parts;
  }

  /// The bits of one optimizer for each preset.
  ///
  /// @param factors the scales of the gradients at each step
  private static Map<String, int[]> apart(Case tested, double[] factors) {
    try (Arena arena = Arena.ofShared()) {
      SplittableRandom random = new SplittableRandom(PROBLEM.seed());
      List<Parameter> all = PROBLEM.parameters(arena, random, Backends.scalar().device());
      List<List<Parameter>> parts = byPreset(tested, all);
      List<Optimizer> optimizers = new ArrayList<>();
      try {
        for (int k = 0; k < parts.size(); k++) {
          optimizers.add(
              tested.presets().get(k).apply(parts.get(k)).backend(Backends.scalar()).build());
        }
        for (int step = 0; step < PROBLEM.steps(); step++) {
          all.forEach(each -> PROBLEM.fillGradient(each, random));
          for (Optimizer each : optimizers) {
            each.options().gradientScale(factors[step]);
            each.step();
          }
        }
        Map<String, int[]> bits = new LinkedHashMap<>();
        for (int k = 0; k < parts.size(); k++) {
          bits.putAll(Problem.bits(optimizers.get(k), parts.get(k)));
        }
        return bits;
      } finally {
        optimizers.forEach(Optimizer::close);
      }
    }
  }

  /// The bits of one optimizer of all presets.
  ///
  /// @param reversed whether the groups are added in reverse order
  /// @param factors receives the clip factor of each step; `null` if gradients are not clipped
  private static Map<String, int[]> together(
      Case tested, Backend backend, boolean reversed, double[] factors) {
    try (Arena arena = Arena.ofShared()) {
      SplittableRandom random = new SplittableRandom(PROBLEM.seed());
      List<Parameter> all = PROBLEM.parameters(arena, random, backend.device());
      List<List<Parameter>> parts = byPreset(tested, all);
      GroupsBuilder builder = Optimizer.builder().backend(backend).threads(2);
      for (int k = 0; k < parts.size(); k++) {
        int preset = reversed ? parts.size() - 1 - k : k;
        builder.group(tested.presets().get(preset).apply(parts.get(preset)));
      }
      if (factors != null) {
        builder.options(o -> o.clipGradNorm(3));
      }
      try (Optimizer optimizer = builder.build()) {
        for (int step = 0; step < PROBLEM.steps(); step++) {
          all.forEach(each -> PROBLEM.fillGradient(each, random));
          optimizer.step();
          if (factors != null) {
            double norm = optimizer.report().norm();
            factors[step] = optimizer.report().clipFactor();
            assertTrue(factors[step] < 1, "the norm is only " + norm);
            if (!reversed) {
              assertEquals(Gradients.clipGradNorm(all, Double.POSITIVE_INFINITY), norm);
            }
          }
        }
        Map<String, int[]> bits = new LinkedHashMap<>();
        parts.forEach(part -> bits.putAll(Problem.bits(optimizer, part)));
        return bits;
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void haveTheBitsOfSeparateOptimizers(Case tested) {
    double[] ones = new double[PROBLEM.steps()];
    Arrays.fill(ones, 1);
    Map<String, int[]> expected = apart(tested, ones);
    for (Backend backend : backends(tested)) {
      for (boolean reversed : new boolean[] {false, true}) {
        assertNull(
            Problem.difference(expected, together(tested, backend, reversed, null)),
            backend::toString);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void areClippedToTheNormOfAllGradients(Case tested) {
    for (Backend backend : backends(tested)) {
      double[] factors = new double[PROBLEM.steps()];
      Map<String, int[]> actual = together(tested, backend, false, factors);
      assertNull(Problem.difference(apart(tested, factors), actual), backend::toString);
    }
  }

  @Test
  void aGradientThatIsNotFiniteSkipsAllGroups() {
    for (Backend backend : backends()) {
      try (Parameters parameters = two(backend);
          Optimizer optimizer =
              mixed(parameters).backend(backend).options(o -> o.skipNonFinite(true)).build()) {
        Parameter a = parameters.get("a");
        Parameter b = parameters.get("b");
        fill(parameters, 1);
        optimizer.step();
        Map<String, int[]> before = Problem.bits(optimizer, parameters.all());
        b.device().fill(b.gradient(), b.size(), Float.NaN);
        optimizer.step();
        assertTrue(optimizer.report().skipped());
        assertNull(Problem.difference(before, Problem.bits(optimizer, parameters.all())));
        assertEquals(1, optimizer.stepCount(a));
        assertEquals(1, optimizer.stepCount(b));
      }
    }
  }

  @Test
  void partsAreSteppedAlone() {
    for (Backend backend : backends()) {
      try (Parameters parameters = two(backend);
          Optimizer optimizer = mixed(parameters).backend(backend).build()) {
        Parameter a = parameters.get("a");
        Parameter b = parameters.get("b");
        fill(parameters, 1);
        assertEquals(1, optimizer.step(b).updatedParameters());
        assertEquals(0, optimizer.stepCount(a));
        assertEquals(List.of("firstMoment"), List.copyOf(optimizer.state(b).keySet()));
        assertEquals(2, optimizer.step(b, a).updatedParameters());
        assertEquals(1, optimizer.stepCount(a));
        assertEquals(2, optimizer.stepCount(b));
        assertEquals(
            List.of("firstMoment", "secondMoment"), List.copyOf(optimizer.state(a).keySet()));
      }
    }
  }

  /// The average is the last state, at another place for each rule.
  @Test
  void publishTheirValuesAndAverages() {
    List<Consumer<PublicationOptions>> kinds =
        List.of(p -> {}, p -> p.averages(true), p -> p.halfPrecision(HalfPrecision.BFLOAT16));
    for (Backend backend : backends()) {
      for (Consumer<PublicationOptions> kind : kinds) {
        try (Parameters parameters = two(backend);
            Optimizer optimizer =
                mixed(parameters).backend(backend).averageParameters(0.5).publish(kind).build()) {
          for (int step = 1; step <= 3; step++) {
            fill(parameters, step);
            optimizer.step();
          }
          assertEquals(3, optimizer.publication().step());
          optimizer
              .publication()
              .read(
                  published -> {
                    for (Parameter each : parameters) {
                      assertPublished(optimizer, each, published, kind);
                    }
                    return null;
                  });
        }
      }
    }
  }

  private static void assertPublished(
      Optimizer optimizer,
      Parameter parameter,
      PublishedParameters published,
      Consumer<PublicationOptions> kind) {
    PublicationOptions options = new PublicationOptions();
    kind.accept(options);
    float[] expected = new float[(int) parameter.size()];
    if (options.averages()) {
      long bytes = parameter.size() * Float.BYTES;
      float[] average =
          optimizer
              .backend()
              .stateDevice()
              .copyOf(optimizer.average(parameter), bytes)
              .toArray(JAVA_FLOAT);
      System.arraycopy(average, 0, expected, 0, average.length);
    } else {
      parameter.copyDataTo(MemorySegment.ofArray(expected));
    }
    if (options.halfPrecision() == null) {
      assertArrayEquals(expected, published.data(parameter.name()).toArray(JAVA_FLOAT));
    } else {
      short[] rounded = new short[expected.length];
      for (int i = 0; i < rounded.length; i++) {
        rounded[i] = options.halfPrecision().round(expected[i]);
      }
      assertArrayEquals(rounded, published.data(parameter.name()).toArray(JAVA_SHORT));
    }
  }

  @Test
  void hooksSeeAllGroups() {
    try (Parameters parameters = two(Backends.scalar());
        Optimizer optimizer = mixed(parameters).build()) {
      fill(parameters, 1);
      List<String> calls = new ArrayList<>();
      Parameter a = parameters.get("a");
      Parameter b = parameters.get("b");
      optimizer.addStepPreHook(
          o -> {
            o.paramGroups().get(1).setLearningRate(0);
            calls.add("before " + o.stepCount(a) + o.stepCount(b));
          });
      optimizer.addStepPostHook(
          o -> calls.add("after " + o.stateDict().parameters().get("b").steps()));
      float[] before = b.data().toArray(JAVA_FLOAT);
      optimizer.step();
      assertEquals(List.of("before 00", "after 1"), calls);
      assertArrayEquals(before, b.data().toArray(JAVA_FLOAT));
    }
  }

  @Test
  void aClosedGradientOfTheLastGroupChangesNothing() {
    for (Backend backend : Problem.backends()) {
      try (Parameters parameters = two(backend);
          Optimizer optimizer = mixed(parameters).backend(backend).build()) {
        fill(parameters, 1);
        optimizer.step();
        Parameter b = parameters.get("b");
        Arena closed = Arena.ofShared();
        b.setGradient(closed.allocate(b.size() * Float.BYTES, 4));
        optimizer.step();
        Map<String, int[]> before = Problem.bits(optimizer, parameters.all());
        closed.close();
        assertThrows(IllegalStateException.class, optimizer::step);
        assertNull(Problem.difference(before, Problem.bits(optimizer, parameters.all())));
      }
    }
  }

  @Test
  void zeroGradReachesAllGroups() {
    for (Backend backend : backends()) {
      try (Parameters parameters = two(backend);
          Optimizer optimizer =
              mixed(parameters).backend(backend).options(o -> o.zeroGrad(true)).build()) {
        fill(parameters, 1);
        optimizer.step();
        optimizer.await();
        for (Parameter each : parameters) {
          float[] gradient = new float[(int) each.size()];
          Arrays.fill(gradient, -1);
          each.copyGradientTo(MemorySegment.ofArray(gradient));
          assertArrayEquals(new float[gradient.length], gradient);
        }
      }
    }
  }

  private static Parameters two(Backend backend) {
    return Parameters.builder().add("a", 5).add("b", 33).device(backend.device()).build();
  }

  private static GroupsBuilder mixed(Parameters parameters) {
    return Optimizer.builder()
        .group(AdamW.builder(List.of(parameters.get("a"))).learningRate(0.1))
        .group(Sgd.builder(List.of(parameters.get("b"))).learningRate(0.1).momentum(0.9));
  }

  private static void fill(Parameters parameters, float value) {
    parameters.forEach(each -> each.device().fill(each.gradient(), each.size(), value));
  }
}
