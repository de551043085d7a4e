package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Steps whose factors are measured: the report, and options that change what is measured.
class MeasuredStepTest {
  /// Measured rules of each kind, with options of the step.
  static List<Case> clippedByNorm() {
    Consumer<StepOptions> options = o -> o.gradientScale(0.5).clipGradNorm(0.5).skipNonFinite(true);
    return List.of(
        new Case("Lamb", p -> Lamb.builder(p).options(options), List.of()),
        new Case("Lars", p -> Lars.builder(p).weightDecay(0.1).options(options), List.of()),
        new Case("NovoGrad", p -> NovoGrad.builder(p).options(options), List.of()),
        new Case("StableAdamW", p -> StableAdamW.builder(p).options(options), List.of()),
        new Case("Mars", p -> Mars.builder(p).options(options), List.of()),
        new Case("AdamW", p -> AdamW.builder(p).cautious(true).options(options), List.of()));
  }

  /// With gradients that are clipped by value.
  static List<Case> clippedByValue() {
    Consumer<StepOptions> options = o -> o.gradientScale(2).clipGradValue(0.25).zeroGrad(false);
    return List.of(
        new Case("Lamb", p -> Lamb.builder(p).options(options), List.of()),
        new Case("StableAdamW", p -> StableAdamW.builder(p).options(options), List.of()),
        new Case("Mars", p -> Mars.builder(p).options(options), List.of()),
        new Case("Lars", p -> Lars.builder(p).options(options), List.of()),
        new Case("NovoGrad", p -> NovoGrad.builder(p).options(options), List.of()),
        new Case("Lion", p -> Lion.builder(p).cautious(true).options(options), List.of()));
  }

  static List<Case> cases() {
    List<Case> all = new ArrayList<>(clippedByNorm());
    all.addAll(clippedByValue());
    return all;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyBackendHasTheSameBitsWithOptions(Case tested) {
    Problem problem = new Problem(new long[] {0, 1, 77, 16384, 40_005}, 1, 7, 3, false);
    Map<String, int[]> expected = problem.run(tested, Backends.scalar(), 1);
    for (Backend backend : Problem.backends()) {
      String difference = Problem.difference(expected, problem.run(tested, backend, 3));
      assertNull(difference, () -> "%s on %s, %s".formatted(tested, backend, problem));
    }
  }

  @Test
  void theReportHasTheTrustRatioOfEachParameter() {
    try (Parameters parameters = Parameters.builder().add("a", 4).add("b", 9).build();
        Optimizer optimizer =
            Lamb.builder(parameters).learningRate(0.5).weightDecay(1).epsilon(0).build()) {
      Parameter a = parameters.get("a");
      for (int i = 0; i < 4; i++) {
        a.data().setAtIndex(JAVA_FLOAT, i, 3);
        a.gradient().setAtIndex(JAVA_FLOAT, i, 7);
      }
      for (int i = 0; i < 9; i++) {
        parameters.get("b").gradient().setAtIndex(JAVA_FLOAT, i, 1);
      }
      StepReport report = optimizer.step();
      // u = 1 + 3 for each element of a, so the ratio is 6 / 8; all elements of b are 0.
      assertEquals(0.75, report.factor(a), 1e-6);
      assertEquals(1, report.factor(parameters.get("b")));
      assertEquals(3 - 0.5 * 0.75 * 4, a.data().getAtIndex(JAVA_FLOAT, 0), 1e-6);
      try (Parameters others = Parameters.builder().add("a", 1).build()) {
        Parameter stranger = others.get("a");
        assertThrows(IllegalArgumentException.class, () -> report.factor(stranger));
      }
    }
  }

  /// Gradients are clipped before the factor.
  @Test
  void clippedGradientsHaveTheFactorOfClippedGradients() {
    for (Case tested :
        List.of(
            new Case("Lars", p -> Lars.builder(p).weightDecay(0.1), List.of()),
            new Case("NovoGrad", NovoGrad::builder, List.of()))) {
      try (Parameters clipped = Parameters.builder().add("p", 3).build();
          Parameters given = Parameters.builder().add("p", 3).build();
          Optimizer clips = tested.preset(clipped).build();
          Optimizer plain = tested.preset(given).build()) {
        clips.options().clipGradValue(0.5);
        for (int i = 0; i < 3; i++) {
          clipped.get("p").data().setAtIndex(JAVA_FLOAT, i, i + 1);
          given.get("p").data().setAtIndex(JAVA_FLOAT, i, i + 1);
          clipped.get("p").gradient().setAtIndex(JAVA_FLOAT, i, i);
          given.get("p").gradient().setAtIndex(JAVA_FLOAT, i, Math.min(i, 0.5f));
        }
        double factor = clips.step().factor(clipped.get("p"));
        assertEquals(plain.step().factor(given.get("p")), factor);
        for (int i = 0; i < 3; i++) {
          float expected = given.get("p").data().getAtIndex(JAVA_FLOAT, i);
          assertEquals(
              expected, clipped.get("p").data().getAtIndex(JAVA_FLOAT, i), Math.ulp(expected));
        }
      }
    }
  }

  @Test
  void measuresOfNaNGiveNaN() {
    try (Parameters parameters = Parameters.builder().add("p", 40).build();
        Optimizer optimizer = Lars.builder(parameters).build()) {
      Parameter p = parameters.get("p");
      for (int i = 0; i < 40; i++) {
        p.data().setAtIndex(JAVA_FLOAT, i, 1);
        p.gradient().setAtIndex(JAVA_FLOAT, i, i == 17 ? Float.NaN : 1);
      }
      optimizer.step();
      assertTrue(Float.isNaN(p.data().getAtIndex(JAVA_FLOAT, 17)));
      assertEquals(1, optimizer.report().factor(p), "a norm that is not a number has no ratio");
    }
  }
}
