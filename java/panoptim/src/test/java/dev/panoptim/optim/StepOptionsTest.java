package dev.panoptim.optim;

import static dev.panoptim.optim.MixedSizes.SIZES;
import static dev.panoptim.optim.MixedSizes.STEPS;
import static dev.panoptim.optim.MixedSizes.built;
import static dev.panoptim.optim.MixedSizes.fill;
import static dev.panoptim.optim.MixedSizes.parameters;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The options of a step: scale, clip, skip and zero of gradients.
class StepOptionsTest {

  /// Other numbers of threads with `-Pexhaustive`.
  private static final int FEWEST_THREADS = Boolean.getBoolean("panoptim.exhaustive") ? 1 : 3;

  static List<Case> cases() {
    return MixedCases.withSingle();
  }

  /// @param options sets the options of the optimizer
  /// @param before changes the gradients before each step
  private static Map<String, int[]> run(
      Case tested,
      Backend backend,
      int threads,
      Consumer<CommonOptions<?>> options,
      Consumer<Parameters> before) {
    try (Parameters parameters = parameters();
        Optimizer optimizer = built(tested, parameters, backend, threads, options)) {
      SplittableRandom random = new SplittableRandom(4);
      parameters.forEach(each -> fill(each.data(), random));
      for (int step = 0; step < STEPS; step++) {
        parameters.forEach(each -> fill(each.gradient(), random));
        before.accept(parameters);
        optimizer.step();
      }
      Map<String, int[]> bits = new LinkedHashMap<>(Problem.bits(optimizer, parameters.all()));
      if (optimizer.hasHalfPrecisionCopies()) {
        for (Parameter each : parameters) {
          short[] halfPrecisionCopy = optimizer.halfPrecisionCopy(each).toArray(JAVA_SHORT);
          bits.put(
              each.name() + " halfPrecisionCopy",
              IntStream.range(0, halfPrecisionCopy.length)
                  .map(i -> halfPrecisionCopy[i])
                  .toArray());
        }
      }
      bits.put(
          "report",
          new int[] {
            Double.hashCode(optimizer.report().norm()),
            Double.hashCode(optimizer.report().clipFactor()),
            optimizer.report().updatedParameters()
          });
      return bits;
    }
  }

  private static void assertSameOnEveryBackend(Case tested, Consumer<CommonOptions<?>> options) {
    Map<String, int[]> expected = run(tested, Backends.scalar(), 1, options, p -> {});
    for (Backend backend : Problem.backends()) {
      for (int threads = FEWEST_THREADS; threads <= 3; threads++) {
        String difference =
            Problem.difference(expected, run(tested, backend, threads, options, p -> {}));
        int number = threads;
        assertNull(
            difference,
            () ->
                "%s on %s, %d threads: %s"
                    .formatted(tested, backend.describe(), number, difference));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyBackendReachesTheSameBitsWithAllOptions(Case tested) {
    assertSameOnEveryBackend(
        tested,
        b -> {
          b.averageParameters(0.9).halfPrecisionCopy(HalfPrecision.BFLOAT16);
          b.options(
              o ->
                  o.gradientScale(1 / 3.0)
                      .clipGradNorm(20)
                      .clipGradValue(0.1)
                      .skipNonFinite(true)
                      .zeroGrad(true));
        });
  }

  @Test
  void everyBackendReachesTheSameBitsWithEverySubsetOfOptions() {
    Case adamW = OptimizerCases.caseOf("adamw");
    List<Consumer<CommonOptions<?>>> single =
        List.of(
            b -> b.options(o -> o.gradientScale(0.7).clipGradNorm(5)),
            b -> b.options(o -> o.clipGradValue(0.25)),
            b -> b.averageParameters(0.99),
            b -> b.halfPrecisionCopy(HalfPrecision.FLOAT16),
            b -> b.options(o -> o.zeroGrad(true)));
    for (int chosen = 0; chosen < 1 << single.size(); chosen++) {
      int bits = chosen;
      assertSameOnEveryBackend(
          adamW,
          b -> {
            for (int i = 0; i < single.size(); i++) {
              if ((bits >> i & 1) == 1) {
                single.get(i).accept(b);
              }
            }
          });
    }
  }

  /// The result equals a separate pass over the gradients that scales and clips. (A clip by norm is
  /// combined with the scale into one factor, which saves a rounding.)
  @ParameterizedTest
  @MethodSource("cases")
  void scaleAndClipEqualASeparatePass(Case tested) {
    float scale = 0.375f;
    float bound = 0.2f;
    Map<String, int[]> expected =
        run(
            tested,
            Backends.named("native"),
            2,
            b -> {},
            parameters -> {
              for (Parameter each : parameters) {
                for (long i = 0; i < each.size(); i++) {
                  float g = scale * each.gradient().getAtIndex(JAVA_FLOAT, i);
                  each.gradient().setAtIndex(JAVA_FLOAT, i, Math.clamp(g, -bound, bound));
                }
              }
            });
    Map<String, int[]> actual =
        run(
            tested,
            Backends.named("native"),
            2,
            b -> b.options(o -> o.gradientScale(scale).clipGradValue(bound).zeroGrad(true)),
            p -> {});
    assertNull(Problem.difference(expected, actual));
  }

  /// PyTorch has the same behaviour by default.
  @Test
  void aNaNNormMakesAllGradientsNaN() {
    try (Arena arena = Arena.ofConfined()) {
      Parameter good = parameter(arena, "good", 1);
      Parameter bad = parameter(arena, "bad", Float.NaN);
      try (Optimizer optimizer =
          Sgd.builder(List.of(good, bad)).options(o -> o.clipGradNorm(1)).build()) {
        assertTrue(Double.isNaN(optimizer.step().clipFactor()));
        assertTrue(Float.isNaN(good.data().getAtIndex(JAVA_FLOAT, 0)));
      }
    }
  }

  private static Parameter parameter(Arena arena, String name, float... gradient) {
    MemorySegment g = arena.allocateFrom(JAVA_FLOAT, gradient);
    return Parameter.of(name, gradient.length, arena.allocate(g.byteSize(), 4), g)
        .withShape(MatrixShapes.wide(gradient.length));
  }

  @Test
  void clipsToANormOverAllParameters() {
    try (Arena arena = Arena.ofShared()) {
      for (Backend backend : Problem.backends()) {
        Parameter three = parameter(arena, "three", 3);
        Parameter four = parameter(arena, "four", 4);
        try (Optimizer optimizer =
            Sgd.builder(List.of(three))
                .group(List.of(four), Map.of())
                .learningRate(1)
                .backend(backend)
                .options(o -> o.clipGradNorm(1))
                .build()) {
          StepReport report = optimizer.step();
          assertEquals(5, report.norm());
          assertEquals(0.2, report.clipFactor());
          assertEquals(2, report.updatedParameters());
          assertEquals(-0.6f, three.data().getAtIndex(JAVA_FLOAT, 0));
          assertEquals(-0.8f, four.data().getAtIndex(JAVA_FLOAT, 0));
          optimizer.options().clipGradNorm(10).gradientScale(0.5);
          optimizer.step();
          assertEquals(2.5, report.norm());
          assertEquals(1, report.clipFactor());
          assertEquals(-2.1f, three.data().getAtIndex(JAVA_FLOAT, 0), 1e-6f);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aNonFiniteGradientLeavesEverythingUntouched(Case tested) {
    try (Arena arena = Arena.ofShared()) {
      for (Backend backend : Problem.backends()) {
        for (float bad :
            new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
          Parameter good = parameter(arena, "good", 1, 2, 3);
          Parameter other = parameter(arena, "other", new float[50]);
          try (Optimizer optimizer =
              tested
                  .builder()
                  .apply(List.of(good, other))
                  .backend(backend)
                  .options(o -> o.skipNonFinite(true))
                  .build()) {
            optimizer.step();
            Map<String, int[]> before = Problem.bits(optimizer, List.of(good, other));
            other.gradient().setAtIndex(JAVA_FLOAT, 49, bad);
            StepReport report = optimizer.step();
            assertTrue(report.skipped());
            assertEquals(0, report.updatedParameters());
            assertEquals(1, optimizer.stepCount(good));
            assertNull(Problem.difference(before, Problem.bits(optimizer, List.of(good, other))));
            assertEquals(2, good.gradient().getAtIndex(JAVA_FLOAT, 1));
            optimizer.options().zeroGrad(true);
            optimizer.step();
            assertArrayEquals(new float[50], other.gradient().toArray(JAVA_FLOAT));
            assertFalse(optimizer.step().skipped());
            assertEquals(2, optimizer.stepCount(good));
          }
        }
      }
    }
  }

  @Test
  void theNormIsThatOfTheGradients() {
    try (Parameters parameters = parameters();
        Optimizer optimizer = Sgd.builder(parameters).options(o -> o.skipNonFinite(true)).build()) {
      SplittableRandom random = new SplittableRandom(8);
      double squares = 0;
      for (Parameter each : parameters) {
        fill(each.gradient(), random);
        for (float g : each.gradient().toArray(JAVA_FLOAT)) {
          squares += (double) g * g;
        }
      }
      assertEquals(Math.sqrt(squares), optimizer.step().norm(), 1e-12 * Math.sqrt(squares));
      optimizer.options().skipNonFinite(false);
      assertTrue(Double.isNaN(optimizer.step().norm()));
      assertEquals(SIZES.length, optimizer.report().updatedParameters());
    }
  }

  /// The sum holds the squares of the largest floats.
  @Test
  void largeGradientsAreFinite() {
    try (Arena arena = Arena.ofConfined()) {
      Parameter p = parameter(arena, "p", Float.MAX_VALUE, -Float.MAX_VALUE);
      try (Optimizer optimizer =
          Sgd.builder(List.of(p)).options(o -> o.skipNonFinite(true).clipGradNorm(1)).build()) {
        StepReport report = optimizer.step();
        assertFalse(report.skipped());
        assertEquals(Math.sqrt(2) * Float.MAX_VALUE, report.norm(), 1e25);
      }
    }
  }

  @Test
  void aReadOnlyGradientCannotBeZeroedAndNothingChanges() {
    try (Arena arena = Arena.ofConfined()) {
      Parameter plain = parameter(arena, "plain", 1);
      Parameter fixed = parameter(arena, "fixed", 1);
      fixed.setGradient(fixed.gradient().asReadOnly());
      try (Optimizer optimizer =
          Sgd.builder(List.of(plain))
              .group(List.of(fixed), Map.of())
              .options(o -> o.zeroGrad(true))
              .build()) {
        var e = assertThrows(IllegalArgumentException.class, optimizer::step);
        assertEquals("gradient of 'fixed' is read-only, but will be written", e.getMessage());
        assertEquals(0, plain.data().getAtIndex(JAVA_FLOAT, 0));
        assertEquals(1, plain.gradient().getAtIndex(JAVA_FLOAT, 0));
        assertEquals(0, optimizer.stepCount(plain));
        optimizer.options().zeroGrad(false);
        optimizer.step();
        assertEquals(1, optimizer.stepCount(fixed));
      }
    }
  }

  @Test
  void valuesOutOfRangeAreRejectedByName() {
    StepOptions options = new StepOptions();
    for (double value : new double[] {0, -1, Double.NaN}) {
      refused("gradientScale is " + value, () -> options.gradientScale(value));
      refused("clipGradNorm is " + value, () -> options.clipGradNorm(value));
      refused("clipGradValue is " + value, () -> options.clipGradValue(value));
    }
    refused("gradientScale is Infinity", () -> options.gradientScale(Double.POSITIVE_INFINITY));
    refused("gradientScale is 1.0E-46", () -> options.gradientScale(1e-46));
    assertEquals(1, options.gradientScale());
    assertEquals(Double.POSITIVE_INFINITY, options.clipGradNorm());
  }

  private static void refused(String words, Runnable action) {
    var e = assertThrows(IllegalArgumentException.class, action::run);
    assertTrue(e.getMessage().startsWith(words), e.getMessage());
  }
}
