package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The runs of L-BFGS are those of PyTorch 1.13, which `goldens/lbfgs/make.py` recorded.
class LbfgsGoldenTest {
  private static final Path GOLDENS = Path.of("src/test/goldens/lbfgs");

  /// The columns of `trajectories.csv`.
  private record Row(
      String name, int step, long iterations, long evaluations, double error, double[] exact) {
    static Row of(String line) {
      String[] fields = line.split(",");
      return new Row(
          fields[0],
          Integer.parseInt(fields[1]),
          Long.parseLong(fields[2]),
          Long.parseLong(fields[3]),
          Double.parseDouble(fields[4]),
          Arrays.stream(fields[5].split(" ")).mapToDouble(Double::parseDouble).toArray());
    }
  }

  private static Map<String, List<Row>> rows() throws IOException {
    Map<String, List<Row>> all = new LinkedHashMap<>();
    Files.readAllLines(GOLDENS.resolve("trajectories.csv")).stream()
        .skip(1)
        .map(Row::of)
        .forEach(
            row ->
                all.merge(
                    row.name,
                    List.of(row),
                    (a, b) -> Stream.of(a, b).flatMap(List::stream).toList()));
    return all;
  }

  static Stream<String> cases() throws IOException {
    return rows().keySet().stream();
  }

  private static LbfgsBuilder options(String name, List<Parameter> parameters) {
    LbfgsBuilder builder = Lbfgs.builder(parameters).strongWolfe(name.contains("-wolfe"));
    if (!name.endsWith("-steps")) {
      builder.maxIterations(1);
    }
    return switch (name) {
      case "quadratic-fixed-short-history" -> builder.learningRate(0.7).historySize(3);
      case "quadratic-wolfe-short-history" -> builder.historySize(2);
      case "booth-fixed" -> builder.learningRate(0.5);
      case "himmelblau-fixed" -> builder.learningRate(0.1);
      case "rosenbrock-wolfe-lr" -> builder.learningRate(0.3);
      case "logistic-wolfe-steps" -> builder.maxIterations(5);
      case "logistic-fixed-steps" -> builder.maxIterations(5).learningRate(0.8);
      case "quadratic-fixed-steps" -> builder.maxIterations(6).maxEvaluations(4).learningRate(0.9);
      case "rosenbrock-wolfe-steps" -> builder.maxIterations(7).maxEvaluations(6);
      default -> builder;
    };
  }

  private static LbfgsProblem problem(String name) {
    return switch (name.substring(0, name.indexOf('-'))) {
      case "quadratic" -> LbfgsProblem.QUADRATIC10;
      case "rosenbrock" -> LbfgsProblem.ROSENBROCK2;
      case String other -> LbfgsProblem.valueOf(other.toUpperCase(Locale.ROOT));
    };
  }

  /// PyTorch's own float32 run is the measure of the distance from its float64 run: largest so far,
  /// since distances grow along a run.
  @ParameterizedTest
  @MethodSource("cases")
  void everyIterationIsPyTorchs(String name) throws IOException {
    LbfgsProblem problem = problem(name);
    try (Parameters all = Parameters.builder().add("x", problem.start.length).build();
        Lbfgs optimizer = options(name, all.all()).build()) {
      problem.begin(all.all());
      DoubleSupplier closure = problem.closure(all.all());
      double worst = 0;
      for (Row row : rows().get(name)) {
        optimizer.step(closure);
        double[] x = LbfgsProblem.data(all.all());
        worst = Math.max(worst, row.error);
        for (int i = 0; i < x.length; i++) {
          double allowed = 3 * worst + 1e-6 * Math.max(1, Math.abs(row.exact[i]));
          assertEquals(row.exact[i], x[i], allowed, name + " step " + row.step + " element " + i);
        }
        if (row.iterations >= 0 && worst < 1e-5) {
          LbfgsState state = optimizer.state();
          assertEquals(row.iterations, state.iterations(), name + " step " + row.step);
          assertEquals(row.evaluations, state.evaluations(), name + " step " + row.step);
        }
      }
    }
  }

  @Test
  void theGoldensHaveEveryKindOfRun() throws IOException {
    assertEquals(18, rows().size());
    assertTrue(rows().values().stream().allMatch(each -> each.size() >= 4));
    assertTrue(
        rows().values().stream()
                .flatMap(List::stream)
                .filter(row -> row.iterations >= 0 && row.error < 1e-5)
                .count()
            > 200);
  }

  /// How far the loss may end above that of float64. Losses are computed in double from float32
  /// parameters. The network's loss is 0.7 at the start, and after 100 steps it is still falling
  /// along a flat valley.
  private static double allowed(LbfgsProblem problem) {
    return switch (problem) {
      case BROWN -> 1e-6;
      case NETWORK -> 5e-5;
      case QUADRATIC50 -> 1e-7;
      default -> 2e-9;
    };
  }

  @ParameterizedTest
  @EnumSource
  void theMinimumOfFloat64IsReached(LbfgsProblem problem) throws IOException {
    double exact =
        Files.readAllLines(GOLDENS.resolve("minima.csv")).stream()
            .map(line -> line.split(","))
            .filter(fields -> fields[0].equalsIgnoreCase(problem.name()))
            .mapToDouble(fields -> Double.parseDouble(fields[1]))
            .findFirst()
            .orElseThrow();
    try (Parameters all = Parameters.builder().add("x", problem.start.length).build();
        Lbfgs optimizer = Lbfgs.builder(all).strongWolfe(true).build()) {
      problem.begin(all.all());
      DoubleSupplier closure = problem.closure(all.all());
      double before = optimizer.step(closure);
      for (int i = 1; i < 100; i++) {
        double now = optimizer.step(closure);
        assertTrue(now <= before, "step " + i + ": " + now + " after " + before);
        before = now;
      }
      double[] x = LbfgsProblem.data(all.all());
      double loss = problem.loss(x, new double[x.length]);
      System.out.printf(
          Locale.ROOT, "L-BFGS %-12s float64 %.3e, here %.3e%n", problem, exact, loss);
      assertTrue(loss <= exact + allowed(problem), "loss " + loss + ", float64 " + exact);
    }
  }
}
