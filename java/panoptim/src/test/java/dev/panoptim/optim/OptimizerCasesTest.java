package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.SecondMoment;
import dev.panoptim.rule.TensorFactor;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Default and illegal arguments of every optimizer.
class OptimizerCasesTest {
  private static final double[] NO_VALUES = {
    Double.NaN, -1, -1e-300, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY
  };

  static List<OptimizerCases> descriptions() {
    return OptimizerCases.all();
  }

  static List<Case> cases() {
    return OptimizerCases.cases();
  }

  @ParameterizedTest
  @MethodSource("descriptions")
  void hasTheDefaultsOfItsReference(OptimizerCases description) {
    try (Parameters parameters = Parameters.builder().add("p", 1, 1).build();
        Optimizer optimizer = description.preset().apply(parameters).build()) {
      ParameterGroup group = optimizer.paramGroups().getFirst();
      assertEquals(description.defaults().keySet(), group.hyperparameters());
      description.defaults().forEach((name, value) -> assertEquals(value, group.get(name)));
    }
  }

  @ParameterizedTest
  @MethodSource("descriptions")
  void refusesIllegalArgumentsByName(OptimizerCases description) {
    try (Parameters parameters = Parameters.builder().add("p", 1, 1).build()) {
      description
          .illegal()
          .forEach(
              (words, arguments) -> {
                var e =
                    assertThrows(
                        IllegalArgumentException.class, () -> arguments.accept(parameters), words);
                assertTrue(e.getMessage().contains(words), e.getMessage());
              });
      for (double value : NO_VALUES) {
        assertThrows(
            IllegalArgumentException.class,
            () -> description.preset().apply(parameters).learningRate(value));
        assertThrows(
            IllegalArgumentException.class,
            () -> description.preset().apply(parameters).weightDecay(value));
      }
    }
  }

  /// With a gradient of 0, L2 decay changes the moments and decoupled decay does not. ADOPT's first
  /// step changes no parameter, and optimizers without decay refuse one.
  @ParameterizedTest
  @MethodSource("descriptions")
  void aZeroGradientWithDecayStillMoves(OptimizerCases description) {
    try (Parameters parameters = Parameters.builder().add("p", 1, 1).build()) {
      OptimizerBuilder<?> builder =
          description.preset().apply(parameters).learningRate(0.25).weightDecay(0.5);
      if (description.decay() == Decay.NONE) {
        var e = assertThrows(IllegalArgumentException.class, builder::build);
        assertTrue(e.getMessage().contains("weightDecay is 0.5"), e.getMessage());
        return;
      }
      try (Optimizer optimizer = builder.build()) {
        Parameter p = parameters.get("p");
        p.data().setAtIndex(JAVA_FLOAT, 0, 2);
        optimizer.step();
        if (optimizer.rule().secondMoment() == SecondMoment.DELAYED_AVERAGE) {
          assertEquals(2, p.data().getAtIndex(JAVA_FLOAT, 0));
          optimizer.step();
        }
        assertEquals(description.decay(), optimizer.rule().decay());
        float after = p.data().getAtIndex(JAVA_FLOAT, 0);
        assertTrue(after < 2, "it is " + after);
        if (description.decay() == Decay.DECOUPLED) {
          double lambd = description.defaults().getOrDefault(Hyperparameter.LAMBD, 0.0);
          // LAMB: the ratio of norm(w) and norm(weightDecay * w).
          double ratio = optimizer.rule().tensorFactor() == TensorFactor.TRUST_RATIO ? 2 : 1;
          assertEquals(
              (float) (2 - 0.25 * ratio * (0.5 + lambd) * 2), after, lambd == 0 ? 0 : Math.ulp(2f));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void refusesHyperparametersThatAreNoneOrOutOfRange(Case tested) {
    try (Parameters parameters = Parameters.builder().add("p", 1, 1).build();
        Optimizer optimizer = tested.builder().apply(parameters).build()) {
      ParameterGroup group = optimizer.paramGroups().getFirst();
      for (Hyperparameter each : Hyperparameter.values()) {
        for (double value : NO_VALUES) {
          if (value >= each.lowest() && value < 0) {
            continue;
          }
          double before = group.hyperparameters().contains(each) ? group.get(each) : 0;
          var e = assertThrows(IllegalArgumentException.class, () -> group.set(each, value));
          assertTrue(e.getMessage().startsWith(each.label()), e.getMessage());
          if (group.hyperparameters().contains(each)) {
            assertTrue(e.getMessage().contains(Double.toString(value)), e.getMessage());
            assertEquals(before, group.get(each));
            assertThrows(
                IllegalArgumentException.class,
                () ->
                    tested
                        .preset(parameters)
                        .group(Parameters.builder().add("q", 1, 1).build(), Map.of(each, value))
                        .build());
          }
        }
      }
    }
  }
}
