package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Hyperparameter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A parameter's result does not depend on the grouping of the other parameters.
class GroupingTest {
  private static final String[] NAMES = {"a", "b", "c", "d"};
  private static final Map<Hyperparameter, Double> FASTER =
      Map.of(Hyperparameter.LEARNING_RATE, 0.5);

  static List<Case> cases() {
    return OptimizerCases.cases();
  }

  private static Parameters parameters() {
    Parameters.Builder builder = Parameters.builder();
    for (String name : NAMES) {
      builder.add(name, MatrixShapes.wide(20 * name.charAt(0)));
    }
    Parameters built = builder.build();
    for (Parameter each : built) {
      fill(each, 0);
    }
    return built;
  }

  /// Numbers that depend only on name and step; step 0 is the start.
  private static void fill(Parameter parameter, int step) {
    SplittableRandom random = new SplittableRandom(parameter.name().hashCode() * 1000L + step);
    for (long i = 0; i < parameter.size(); i++) {
      (step == 0 ? parameter.data() : parameter.gradient())
          .setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
    }
  }

  private static Map<String, int[]> run(List<Parameter> parameters, Optimizer optimizer) {
    for (int step = 1; step <= 7; step++) {
      for (Parameter each : parameters) {
        fill(each, step);
      }
      optimizer.step();
    }
    Map<String, int[]> bits = Problem.bits(optimizer, parameters);
    optimizer.close();
    return bits;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theOrderOfParametersChangesNothing(Case tested) {
    try (Parameters one = parameters();
        Parameters other = parameters()) {
      List<Parameter> reversed = new ArrayList<>(other.all());
      Collections.reverse(reversed);
      Map<String, int[]> expected = run(one.all(), tested.builder().apply(one).build());
      Map<String, int[]> actual = run(reversed, tested.builder().apply(reversed).build());
      Map<String, int[]> inOrder = new LinkedHashMap<>();
      expected.keySet().forEach(name -> inOrder.put(name, actual.get(name)));
      assertNull(Problem.difference(expected, inOrder));
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void groupsAreEquivalentToSeparateOptimizers(Case tested) {
    try (Parameters together = parameters();
        Parameters apart = parameters()) {
      Optimizer grouped =
          tested
              .preset(together.all().subList(0, 2))
              .group(together.all().subList(2, 4), FASTER)
              .build();
      Map<String, int[]> expected = new LinkedHashMap<>();
      List<Parameter> slow = apart.all().subList(0, 2);
      List<Parameter> fast = apart.all().subList(2, 4);
      expected.putAll(run(slow, tested.builder().apply(slow).build()));
      expected.putAll(run(fast, tested.preset(fast).learningRate(0.5).build()));
      assertNull(Problem.difference(expected, run(together.all(), grouped)));
    }
  }
}
