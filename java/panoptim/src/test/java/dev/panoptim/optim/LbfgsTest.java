package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.metrics.Metrics;
import dev.panoptim.optim.LbfgsReport.End;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Bits, ends of steps, and gradients of L-BFGS.
class LbfgsTest {
  /// Sizes around lanes and chunks, 0 and 1 among them.
  private static final int[] SIZES = {1, 0, 17, 16384, 1, 16385, 0, 70001, 5};

  /// Parameters in one arena, each one float further than an alignment of 64 bytes.
  private static List<Parameter> mixed(Arena arena, int... sizes) {
    List<Parameter> all = new ArrayList<>();
    Random random = new Random(9);
    for (int i = 0; i < sizes.length; i++) {
      MemorySegment data = arena.allocate(4L * sizes[i] + 4, 64).asSlice(4);
      for (int k = 0; k < sizes[i]; k++) {
        data.setAtIndex(JAVA_FLOAT, k, random.nextFloat() - 0.5f);
      }
      MemorySegment gradient = arena.allocate(4L * sizes[i] + 4, 64).asSlice(4);
      all.add(Parameter.of("p" + i, sizes[i], data, gradient));
    }
    return all;
  }

  /// The sum of (1 + i mod 5) * (x^2 + x^4) / 2 over all elements.
  private static DoubleSupplier quartic(List<Parameter> parameters) {
    return () -> {
      double loss = 0;
      for (Parameter each : parameters) {
        for (long i = 0; i < each.size(); i++) {
          double x = each.data().getAtIndex(JAVA_FLOAT, i) - 0.25;
          loss += (1 + i % 5) * (x * x + x * x * x * x) / 2;
          each.gradient().setAtIndex(JAVA_FLOAT, i, (float) ((1 + i % 5) * (x + 2 * x * x * x)));
        }
      }
      return loss;
    };
  }

  private static int[] bitsAfter(Backend backend, int threads, boolean search) {
    try (Arena arena = Arena.ofShared()) {
      List<Parameter> parameters = mixed(arena, SIZES);
      try (Lbfgs optimizer =
          Lbfgs.builder(parameters)
              .backend(backend)
              .threads(threads)
              .strongWolfe(search)
              .learningRate(search ? 1 : 0.5)
              .historySize(3)
              .maxIterations(4)
              .build()) {
        DoubleSupplier closure = quartic(parameters);
        double first = optimizer.step(closure);
        double second = optimizer.step(closure);
        assertTrue(second < first, second + " after " + first);
        LbfgsState state = optimizer.state();
        assertTrue(state.pairs().size() == 3, state.pairs().size() + " pairs");
        List<int[]> all = new ArrayList<>();
        parameters.forEach(each -> all.add(each.data().toArray(JAVA_INT)));
        all.add(state.direction().toArray(JAVA_INT));
        state.pairs().forEach(each -> all.add(each.change().toArray(JAVA_INT)));
        long inverse = Double.doubleToRawLongBits(state.pairs().getLast().inverse());
        all.add(new int[] {(int) inverse, (int) (inverse >> 32)});
        return all.stream().flatMapToInt(Arrays::stream).toArray();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void everyBackendAndNumberOfThreadsHasTheSameBits(boolean search) {
    int[] expected = bitsAfter(Backends.scalar(), 1, search);
    for (Backend backend : Problem.backends()) {
      for (int threads = 1; threads <= 3; threads++) {
        assertArrayEquals(
            expected, bitsAfter(backend, threads, search), backend.describe() + " " + threads);
      }
    }
  }

  @Test
  void aSplitIntoTensorsChangesNoBit() {
    double[] whole = rosenbrock20(20);
    assertArrayEquals(whole, rosenbrock20(0, 1, 7, 1, 11));
    assertArrayEquals(whole, rosenbrock20(5, 5, 0, 10, 0));
  }

  private static double[] rosenbrock20(int... sizes) {
    try (Arena arena = Arena.ofShared()) {
      List<Parameter> parameters = mixed(arena, sizes);
      LbfgsProblem.ROSENBROCK20.begin(parameters);
      try (Lbfgs optimizer = Lbfgs.builder(parameters).strongWolfe(true).build()) {
        optimizer.step(LbfgsProblem.ROSENBROCK20.closure(parameters));
      }
      return LbfgsProblem.data(parameters);
    }
  }

  /// Runs a step of a problem, and returns the optimizer's report.
  private static LbfgsReport report(LbfgsProblem problem, int steps, Options options) {
    try (Parameters all = Parameters.builder().add("x", problem.start.length).build();
        Lbfgs optimizer = options.set(Lbfgs.builder(all)).build()) {
      problem.begin(all.all());
      DoubleSupplier closure = problem.closure(all.all());
      assertEquals(End.NONE, optimizer.report().end());
      for (int i = 0; i < steps; i++) {
        optimizer.step(closure);
      }
      return optimizer.report();
    }
  }

  private interface Options {
    LbfgsBuilder set(LbfgsBuilder builder);
  }

  @Test
  void theReportSaysWhyAStepEnded() {
    LbfgsReport few =
        report(
            LbfgsProblem.ROSENBROCK2,
            1,
            o -> o.strongWolfe(true).maxIterations(3).maxEvaluations(99));
    assertEquals(End.ITERATIONS, few.end());
    assertEquals(3, few.iterations());
    assertTrue(few.lastLoss() < few.firstLoss(), few.toString());
    LbfgsReport calls =
        report(LbfgsProblem.ROSENBROCK2, 1, o -> o.strongWolfe(true).maxEvaluations(4));
    assertEquals(End.EVALUATIONS, calls.end());
    assertTrue(calls.evaluations() >= 4 && calls.evaluations() < 40, calls.toString());
    LbfgsReport at = report(LbfgsProblem.BOOTH, 1, o -> o.strongWolfe(true).toleranceGrad(1));
    assertEquals(End.GRADIENT_TOLERANCE, at.end());
    LbfgsReport still =
        report(LbfgsProblem.BOOTH, 1, o -> o.strongWolfe(true).toleranceChange(1e3));
    assertEquals(End.CHANGE_TOLERANCE, still.end());
    LbfgsReport none = report(LbfgsProblem.BOOTH, 1, o -> o.toleranceChange(1e6));
    assertEquals(End.NO_DESCENT, none.end());
    assertEquals(74, none.firstLoss());
    LbfgsReport zero = report(LbfgsProblem.BOOTH, 1, o -> o.learningRate(0));
    assertEquals(End.CHANGE_TOLERANCE, zero.end());
    LbfgsReport searched = report(LbfgsProblem.BOOTH, 1, o -> o.learningRate(0).strongWolfe(true));
    assertEquals(new LbfgsReport(End.CHANGE_TOLERANCE, 1, 1, 74, 74), searched);
    LbfgsReport done = report(LbfgsProblem.BOOTH, 2, o -> o.strongWolfe(true).toleranceGrad(1e-3));
    assertEquals(
        new LbfgsReport(End.GRADIENT_TOLERANCE, 0, 1, done.lastLoss(), done.lastLoss()), done);
  }

  @Test
  void theDefaultsArePyTorchs() {
    LbfgsReport full = report(LbfgsProblem.ROSENBROCK20, 1, o -> o.learningRate(1e-3));
    assertEquals(End.ITERATIONS, full.end());
    assertEquals(20, full.iterations());
    // The last iteration of a step moves without an evaluation.
    assertEquals(20, full.evaluations());
    LbfgsReport search = report(LbfgsProblem.ROSENBROCK2, 1, o -> o.strongWolfe(true));
    assertEquals(End.EVALUATIONS, search.end());
    assertTrue(search.evaluations() >= 25, search.toString());
    LbfgsReport more =
        report(LbfgsProblem.ROSENBROCK2, 1, o -> o.strongWolfe(true).maxIterations(30));
    assertEquals(End.EVALUATIONS, more.end());
    assertTrue(more.evaluations() >= 37, more.toString());
  }

  @Test
  void parametersWithoutAGradientStayWhereTheyAre() {
    try (Arena arena = Arena.ofShared()) {
      List<Parameter> parameters = mixed(arena, 3, 4, 2);
      parameters.get(1).removeGradient();
      float[] before = parameters.get(1).data().toArray(JAVA_FLOAT);
      List<Parameter> others = List.of(parameters.get(0), parameters.get(2));
      try (Lbfgs optimizer = Lbfgs.builder(parameters).strongWolfe(true).build()) {
        DoubleSupplier closure = quartic(others);
        double first = optimizer.step(closure);
        assertTrue(optimizer.report().lastLoss() < first / 100, optimizer.report().toString());
        assertArrayEquals(before, parameters.get(1).data().toArray(JAVA_FLOAT));
        others.forEach(Parameter::removeGradient);
        optimizer.step(() -> 7);
        assertEquals(new LbfgsReport(End.GRADIENT_TOLERANCE, 0, 1, 7, 7), optimizer.report());
      }
    }
  }

  @Test
  void gradientsMayLieElsewhereAtEachCall() {
    try (Arena arena = Arena.ofShared();
        Arena other = Arena.ofShared()) {
      List<Parameter> parameters = mixed(arena, 20);
      List<Parameter> moving = mixed(arena, 20);
      DoubleSupplier closure = quartic(moving);
      try (Lbfgs expected = Lbfgs.builder(parameters).strongWolfe(true).build();
          Lbfgs optimizer = Lbfgs.builder(moving).strongWolfe(true).build()) {
        expected.step(quartic(parameters));
        optimizer.step(
            () -> {
              moving.getFirst().setGradient(other.allocate(80, 4));
              return closure.getAsDouble();
            });
      }
      assertArrayEquals(LbfgsProblem.data(parameters), LbfgsProblem.data(moving));
    }
  }

  @Test
  void theClosureMayZeroGradients() {
    try (Arena arena = Arena.ofShared()) {
      List<Parameter> parameters = mixed(arena, 4, 1);
      try (Lbfgs optimizer = Lbfgs.builder(parameters).build()) {
        DoubleSupplier closure = quartic(parameters);
        optimizer.step(
            () -> {
              closure.getAsDouble();
              optimizer.zeroGrad();
              assertEquals(0, parameters.getFirst().gradient().getAtIndex(JAVA_FLOAT, 2));
              return closure.getAsDouble();
            });
        assertTrue(optimizer.report().iterations() > 0);
      }
    }
  }

  @Test
  void onlyEmptyParametersAreFine() {
    try (Parameters all = Parameters.builder().add("a", 0).add("b", 0).build();
        Lbfgs optimizer = Lbfgs.builder(all).strongWolfe(true).build()) {
      assertEquals(3.5, optimizer.step(() -> 3.5));
      assertEquals(End.GRADIENT_TOLERANCE, optimizer.report().end());
    }
  }

  @Test
  void statesCountAsMemoryUntilTheOptimizerIsClosed() {
    int size = 1 << 16;
    try (Parameters all = Parameters.builder().add("x", size).build()) {
      long before = Metrics.snapshot().memory().states();
      try (Lbfgs optimizer =
          Lbfgs.builder(all).strongWolfe(true).historySize(2).maxIterations(6).build()) {
        long empty = Metrics.snapshot().memory().states() - before;
        assertTrue(empty >= 20L * size && empty < 21L * size + (1 << 18), empty + " bytes");
        optimizer.step(quartic(all.all()));
        optimizer.step(quartic(all.all()));
        long full = Metrics.snapshot().memory().states() - before;
        assertTrue(full >= 36L * size && full < 37L * size + (1 << 19), full + " bytes");
      }
      assertEquals(before, Metrics.snapshot().memory().states());
    }
  }

  @Test
  void theLearningRateMayChange() {
    try (Parameters all = Parameters.builder().add("x", 2).build();
        Lbfgs optimizer = Lbfgs.builder(all).learningRate(1e-3).build()) {
      optimizer.setLearningRate(0.5);
      assertEquals(0.5, optimizer.learningRate());
      assertEquals(0.5, optimizer.state().learningRate());
      LbfgsProblem.BOOTH.begin(all.all());
      optimizer.step(LbfgsProblem.BOOTH.closure(all.all()));
      assertTrue(optimizer.report().lastLoss() < 1e-3, optimizer.report().toString());
      assertFalse(optimizer.toString().isEmpty());
      assertEquals(all.all(), optimizer.parameters());
    }
  }
}
