package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Hyperparameter;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Compares the distance of our float32 trajectories from PyTorch's float64 ones with the distance
/// of PyTorch's own float32 trajectories.
class GoldenTest {
  private static final int ELEMENTS = 2000;
  private static final int ELEMENTS_OF_THREE = 700;
  private static final int STEPS = 40;

  /// After so many steps the Hessian is updated, if there is one.
  private static final int STEPS_OF_A_HESSIAN = 10;

  /// The allowed ratio of the distances, because roundings differ.
  private static final double WORST = 1.05;

  /// Fills a segment with SplitMix64, seeded with the stream, as multiples of 2^-23 from -1 to 1.
  static void fill(MemorySegment segment, long stream, boolean gradient) {
    for (int i = 0; i < segment.byteSize() / Float.BYTES; i++) {
      long z = stream + (i + 1) * 0x9E3779B97F4A7C15L;
      z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
      z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
      z = z ^ z >>> 31;
      float value = ((z >>> 40) - (1 << 23)) * 0x1p-23f;
      segment.setAtIndex(JAVA_FLOAT, i, gradient ? Math.scalb(value, -(i % 8)) : value);
    }
  }

  private static double single(Case tested) {
    try (Parameters parameters =
            Parameters.builder().add("p", tested.shape().apply(ELEMENTS)).build();
        Optimizer optimizer = tested.builder().apply(parameters).build()) {
      Parameter p = parameters.get("p");
      fill(p.data(), 0, false);
      for (int step = 1; step <= STEPS; step++) {
        fill(p.gradient(), step, true);
        optimizer.step();
        if (step % STEPS_OF_A_HESSIAN == 0) {
          Case.updateHessian(optimizer);
        }
      }
      return rootMeanSquareError(Goldens.truth(tested.name()), parameters);
    }
  }

  /// A training of three parameters in which groups, gradients and learning rates change. The
  /// second parameter is in a group with another weight decay. The third one is in a group that is
  /// added at step 10, with half the learning rate. The first parameter has no gradient in every
  /// third step. At step 20 all learning rates are halved. After step 30 another optimizer
  /// continues from the saved state.
  private static double sequence(Case tested) {
    Parameters.Builder sizes = Parameters.builder();
    List.of("0", "1", "2").forEach(name -> sizes.add(name, ELEMENTS_OF_THREE));
    try (Parameters parameters = sizes.build()) {
      List<MemorySegment> gradients = parameters.all().stream().map(Parameter::gradient).toList();
      for (int k = 0; k < 3; k++) {
        fill(parameters.all().get(k).data(), 1000 * k, false);
      }
      Optimizer optimizer = ofTwoGroups(tested, parameters);
      for (int step = 1; step <= STEPS; step++) {
        if (step == 10) {
          addThirdGroup(optimizer, parameters);
        }
        if (step == 20) {
          optimizer.paramGroups().forEach(each -> each.setLearningRate(each.learningRate() / 2));
        }
        for (int k = 0; k < 3; k++) {
          fill(gradients.get(k), 1000 * k + step, true);
          parameters.all().get(k).setGradient(gradients.get(k));
        }
        if (step % 3 == 0) {
          parameters.get("0").removeGradient();
        }
        optimizer.step();
        if (step == 30) {
          StateDict saved = optimizer.stateDict();
          optimizer.close();
          optimizer = ofTwoGroups(tested, parameters);
          addThirdGroup(optimizer, parameters);
          optimizer.loadStateDict(saved);
        }
      }
      optimizer.close();
      return rootMeanSquareError(Goldens.truth(tested.name() + "-sequence"), parameters);
    }
  }

  private static Optimizer ofTwoGroups(Case tested, Parameters parameters) {
    return tested
        .preset(List.of(parameters.get("0")))
        .group(List.of(parameters.get("1")), Map.of(Hyperparameter.WEIGHT_DECAY, 0.2))
        .build();
  }

  private static void addThirdGroup(Optimizer optimizer, Parameters parameters) {
    double half = optimizer.paramGroups().getFirst().learningRate() / 2;
    optimizer.addParamGroup(
        List.of(parameters.get("2")), Map.of(Hyperparameter.LEARNING_RATE, half));
  }

  private static double rootMeanSquareError(double[] truth, Parameters parameters) {
    double sum = 0;
    int i = 0;
    for (Parameter each : parameters) {
      for (float value : each.data().toArray(JAVA_FLOAT)) {
        double off = value - truth[i++];
        sum += off * off;
      }
    }
    assertEquals(truth.length, i);
    return Math.sqrt(sum / truth.length);
  }

  @Test
  void everyCaseIsAsNearToFloat64AsPyTorch() {
    Map<String, Goldens.Golden> goldens = Goldens.all();
    Map<String, Double> ratios = new LinkedHashMap<>();
    System.out.printf("%-28s %12s %12s %8s%n", "off float64 by", "Panoptim", "PyTorch", "ratio");
    List<Case> named =
        OptimizerCases.cases().stream().filter(each -> !each.name().startsWith("unnamed")).toList();
    add(ratios, goldens, named, "", GoldenTest::single);
    add(ratios, goldens, OptimizerCases.sequences(), "-sequence", GoldenTest::sequence);
    Set<String> names = new LinkedHashSet<>(goldens.keySet());
    assertEquals(names, new LinkedHashSet<>(ratios.keySet()));
    double median =
        ratios.values().stream().sorted().skip(ratios.size() / 2).findFirst().orElseThrow();
    System.out.printf("%-28s %34.3f%n", "median", median);
    Set<String> tooFar =
        ratios.keySet().stream()
            .filter(name -> !(ratios.get(name) <= WORST))
            .collect(Collectors.toSet());
    assertEquals(Set.of(), tooFar);
    assertTrue(median <= 1, "median " + median);
  }

  private static void add(
      Map<String, Double> ratios,
      Map<String, Goldens.Golden> goldens,
      List<Case> cases,
      String suffix,
      ToDoubleFunction<Case> errorOf) {
    for (Case each : cases) {
      String name = each.name() + suffix;
      double ours = errorOf.applyAsDouble(each);
      double theirs = goldens.get(name).rms();
      ratios.put(name, ours / theirs);
      System.out.printf("%-28s %12.3e %12.3e %8.3f%n", name, ours, theirs, ours / theirs);
    }
  }
}
