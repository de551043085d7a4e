package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Rule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Schedule-free parameters move to their average and back.
class EvaluationTest {
  private static final int STEPS = 40;
  private static final int ELEMENTS = 2000;

  static List<Case> scheduleFree() {
    return OptimizerCases.cases().stream()
        .filter(each -> each.name().startsWith("schedule-free"))
        .toList();
  }

  /// Every third parameter is of another rule.
  private static GroupsBuilder mixed(List<Parameter> all) {
    GroupsBuilder builder = Optimizer.builder();
    for (int i = 0; i < all.size(); i++) {
      List<Parameter> one = List.of(all.get(i));
      builder.group(
          switch (i % 3) {
            case 0 -> ScheduleFreeAdamW.builder(one).learningRate(0.1).betas(0.9, 0.99);
            case 1 -> AdamW.builder(one).learningRate(0.1);
            default -> ScheduleFreeSgd.builder(one).learningRate(0.1).momentum(0.8);
          });
    }
    return builder;
  }

  private static double rootMeanSquareError(double[] truth, MemorySegment values) {
    double sum = 0;
    for (int i = 0; i < truth.length; i++) {
      double off = values.getAtIndex(JAVA_FLOAT, i) - truth[i];
      sum += off * off;
    }
    return Math.sqrt(sum / truth.length);
  }

  private static Optimizer trained(Case tested, Parameters parameters) {
    Optimizer optimizer = tested.builder().apply(parameters).build();
    Parameter p = parameters.get("p");
    GoldenTest.fill(p.data(), 0, false);
    for (int step = 1; step <= STEPS; step++) {
      GoldenTest.fill(p.gradient(), step, true);
      optimizer.step();
    }
    return optimizer;
  }

  /// The averages are as near to the averages in float64 as the parameters of the reference in
  /// float32 are to those in float64, times 1 / beta1 = 1 / 0.9: the average is extrapolated.
  @ParameterizedTest
  @MethodSource("scheduleFree")
  void theAverageIsThatOfTheReference(Case tested) {
    try (Parameters parameters = Parameters.builder().add("p", ELEMENTS).build();
        Optimizer optimizer = trained(tested, parameters)) {
      MemorySegment p = parameters.get("p").data();
      double[] truth = Goldens.truth(tested.name() + ".average");
      assertEquals(ELEMENTS, truth.length);
      double before = rootMeanSquareError(truth, p);
      optimizer.eval();
      double error = rootMeanSquareError(truth, p);
      double theirs = Goldens.all().get(tested.name()).rms();
      System.out.printf("%-40s %.3e, y %.3e, before %.3e%n", tested, error, theirs, before);
      assertTrue(error <= 1.05 / 0.9 * theirs, error + " instead of " + theirs);
      assertTrue(before > 1000 * error, "the parameters lay at the average before: " + before);
    }
  }

  @Test
  void theAverageOfAsgdIsThatOfTheReference() {
    Case tested = OptimizerCases.caseOf("asgd-average");
    try (Parameters parameters = Parameters.builder().add("p", ELEMENTS).build();
        Optimizer optimizer = trained(tested, parameters)) {
      Parameter p = parameters.get("p");
      double error =
          rootMeanSquareError(
              Goldens.truth("asgd-average.average"), optimizer.state(p).get("parameterAverage"));
      double theirs = Goldens.all().get("asgd-average").rms();
      System.out.printf("%-40s %.3e, p %.3e%n", tested, error, theirs);
      assertTrue(error <= 1.05 * theirs, error + " instead of " + theirs);
    }
  }

  /// There and back there are two roundings of numbers between z and x.
  @ParameterizedTest
  @MethodSource("scheduleFree")
  void trainingReturnsToWhereItWas(Case tested) {
    try (Parameters parameters = Parameters.builder().add("p", ELEMENTS).build();
        Optimizer optimizer = trained(tested, parameters)) {
      Parameter p = parameters.get("p");
      float[] before = p.data().toArray(JAVA_FLOAT);
      optimizer.eval();
      float[] average = p.data().toArray(JAVA_FLOAT);
      optimizer.train();
      float[] after = p.data().toArray(JAVA_FLOAT);
      float[] z = optimizer.state(p).get("z").toArray(JAVA_FLOAT);
      for (int i = 0; i < before.length; i++) {
        float largest = Math.max(Math.abs(average[i]), Math.abs(z[i]));
        assertEquals(before[i], after[i], 2 * Math.ulp(largest), "element " + i);
        assertNotEquals(before[i], average[i], "element " + i);
      }
    }
  }

  /// The formula, written once more.
  private static int moved(float from, float z, double factor) {
    return Float.floatToIntBits(Math.fma((float) factor, z - from, from));
  }

  @Test
  void bothWaysAreOneRoundingOfTheFormula() {
    Problem problem = Problem.of(5000, 11, 0);
    try (Arena arena = Arena.ofShared()) {
      SplittableRandom random = new SplittableRandom(3);
      List<Parameter> all = problem.parameters(arena, random, Backends.scalar().device());
      try (Optimizer optimizer =
          ScheduleFreeSgd.builder(all).learningRate(0.1).momentum(0.75).build()) {
        Parameter p = all.getFirst();
        for (int step = 0; step < 4; step++) {
          problem.fillGradient(p, random);
          optimizer.step();
          float[] z = optimizer.state(p).get("z").toArray(JAVA_FLOAT);
          float[] y = p.data().toArray(JAVA_FLOAT);
          optimizer.eval();
          float[] x = p.data().toArray(JAVA_FLOAT);
          optimizer.train();
          for (int i = 0; i < y.length; i++) {
            assertEquals(moved(y[i], z[i], 1 - 1 / 0.75), Float.floatToRawIntBits(x[i]));
            assertEquals(moved(x[i], z[i], 0.25), p.data().getAtIndex(JAVA_INT, i));
          }
        }
      }
    }
  }

  /// A training with evaluations in it and at its end; not all parameters make all steps.
  static Map<String, int[]> run(Problem problem, Backend backend, int threads) {
    try (Arena arena = Arena.ofShared()) {
      SplittableRandom random = new SplittableRandom(problem.seed());
      List<Parameter> all = problem.parameters(arena, random, backend.device());
      try (Optimizer optimizer = mixed(all).backend(backend).threads(threads).build()) {
        for (int step = 0; step < 6; step++) {
          for (Parameter each : all) {
            problem.fillGradient(each, random);
          }
          if (step == 0) {
            optimizer.step(all.getFirst());
          } else {
            optimizer.step();
          }
          if (step % 2 == 1) {
            optimizer.eval();
          }
          if (step < 5) {
            optimizer.train();
          }
        }
        return Problem.bits(optimizer, all);
      }
    }
  }

  static List<Problem> problems() {
    return List.of(
        new Problem(new long[] {1, 20_000, 33, 0, 5}, 3, 21, 0, true),
        new Problem(new long[] {(1 << 20) + 7, 5, 1 << 20}, 0, 22, 0, true));
  }

  @ParameterizedTest
  @MethodSource("problems")
  void allBackendsGiveTheSameBits(Problem problem) {
    Map<String, int[]> expected = run(problem, Backends.scalar(), 1);
    for (Backend backend : Problem.backends()) {
      assertNull(
          Problem.difference(expected, run(problem, backend, 3)), () -> problem + " on " + backend);
    }
  }

  private static Map<String, int[]> saved(int at, boolean evaluates) {
    Problem problem = problems().getFirst();
    try (Arena arena = Arena.ofShared()) {
      SplittableRandom random = new SplittableRandom(problem.seed());
      List<Parameter> all = problem.parameters(arena, random, Backends.scalar().device());
      Optimizer optimizer = mixed(all).build();
      for (int step = 0; step < 6; step++) {
        for (Parameter each : all) {
          problem.fillGradient(each, random);
        }
        optimizer.step();
        if (evaluates) {
          optimizer.eval();
        }
        if (step == at) {
          StateDict state = optimizer.stateDict();
          optimizer.close();
          optimizer = mixed(all).build();
          optimizer.loadStateDict(state);
          assertEquals(!evaluates, optimizer.isTraining());
        }
        optimizer.train();
      }
      Map<String, int[]> bits = Problem.bits(optimizer, all);
      optimizer.close();
      return bits;
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aSavedTrainingContinuesInItsMode(boolean evaluates) {
    Map<String, int[]> expected = saved(-1, evaluates);
    for (int at : new int[] {0, 3}) {
      assertNull(Problem.difference(expected, saved(at, evaluates)), "saved at " + at);
    }
  }

  @Test
  void onlyScheduleFreeParametersWithAStepMove() {
    try (Parameters parameters =
            Parameters.builder().add("a", 9).add("b", 9).add("c", 9).add("d", 9).build();
        Optimizer optimizer = mixed(parameters.all()).build()) {
      parameters.get("d").removeGradient();
      assertTrue(optimizer.isTraining());
      optimizer.eval();
      assertFalse(optimizer.isTraining());
      parameters.forEach(each -> assertArrayEquals(new float[9], floats(each), each::name));
      optimizer.train();
      assertTrue(optimizer.isTraining());
      for (String each : List.of("a", "b", "c")) {
        GoldenTest.fill(parameters.get(each).gradient(), 5, true);
      }
      optimizer.step();
      optimizer.step();
      Map<String, float[]> before =
          Map.of("b", floats(parameters.get("b")), "d", floats(parameters.get("d")));
      float[] moves = floats(parameters.get("a"));
      optimizer.eval();
      before.forEach((name, data) -> assertArrayEquals(data, floats(parameters.get(name)), name));
      float[] average = floats(parameters.get("a"));
      assertNotEquals(moves[0], average[0]);
      optimizer.eval();
      assertArrayEquals(average, floats(parameters.get("a")), "a second call moved it");
      Map<String, Double> scalars = optimizer.stateDict().parameters().get("d").scalars();
      assertEquals(1, scalars.get(Rule.EVALUATION));
    }
  }

  private static float[] floats(Parameter parameter) {
    return parameter.data().toArray(JAVA_FLOAT);
  }

  @Test
  void otherOptimizersHaveOneMode() {
    try (Parameters parameters = Parameters.builder().add("a", 9).build();
        Optimizer optimizer = AdamW.builder(parameters).build()) {
      GoldenTest.fill(parameters.get("a").gradient(), 5, true);
      optimizer.step();
      float[] before = floats(parameters.get("a"));
      optimizer.eval();
      assertTrue(optimizer.isTraining());
      assertArrayEquals(before, floats(parameters.get("a")));
      optimizer.step();
      optimizer.train();
      assertEquals(2, optimizer.stepCount(parameters.get("a")));
    }
  }

  @Test
  void aGroupThatIsAddedDuringAnEvaluationTakesPart() {
    try (Parameters parameters = Parameters.builder().add("a", 9).add("b", 9).build();
        Optimizer optimizer = ScheduleFreeSgd.builder(List.of(parameters.get("a"))).build()) {
      parameters.forEach(each -> GoldenTest.fill(each.gradient(), 5, true));
      optimizer.step();
      optimizer.eval();
      optimizer.addParamGroup(List.of(parameters.get("b")), Map.of());
      assertFalse(optimizer.isTraining());
      optimizer.eval();
      optimizer.train();
      optimizer.step();
      assertEquals(1, optimizer.stepCount(parameters.get("b")));
    }
  }

  @Test
  void copiesFollowAndPublicationsAndAveragesDoNot() {
    try (Parameters parameters = Parameters.builder().add("a", 999).build();
        Optimizer optimizer =
            ScheduleFreeAdamW.builder(parameters)
                .learningRate(0.1)
                .halfPrecisionCopy(HalfPrecision.BFLOAT16)
                .averageParameters(0.9)
                .publish()
                .build()) {
      Parameter a = parameters.get("a");
      for (int step = 0; step < 3; step++) {
        GoldenTest.fill(a.gradient(), step, true);
        optimizer.step();
      }
      byte[] published = published(optimizer, a);
      byte[] average = optimizer.average(a).toArray(JAVA_BYTE);
      for (boolean evaluates : new boolean[] {true, false}) {
        if (evaluates) {
          optimizer.eval();
        } else {
          optimizer.train();
        }
        short[] copy = optimizer.halfPrecisionCopy(a).toArray(JAVA_SHORT);
        for (int i = 0; i < copy.length; i++) {
          assertEquals(HalfPrecision.BFLOAT16.round(a.data().getAtIndex(JAVA_FLOAT, i)), copy[i]);
        }
        assertArrayEquals(published, published(optimizer, a));
        assertArrayEquals(average, optimizer.average(a).toArray(JAVA_BYTE));
        optimizer.refreshPublication();
        published = published(optimizer, a);
        assertArrayEquals(a.data().toArray(JAVA_BYTE), published);
      }
    }
  }

  private static byte[] published(Optimizer optimizer, Parameter parameter) {
    return optimizer.publication().read(from -> from.data(parameter).toArray(JAVA_BYTE));
  }
}
