package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.LbfgsReport.End;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What L-BFGS does when a closure fails or misuses it.
@Timeout(120)
class LbfgsFailureTest {
  private static final LbfgsProblem PROBLEM = LbfgsProblem.ROSENBROCK20;

  private static Parameters parameters() {
    return Parameters.builder().add("a", 7).add("b", 13).build();
  }

  /// Fails at each call of the closure in turn: the parameters end at a point at which the closure
  /// has returned, and further steps reach the minimum.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aClosureThatThrowsLeavesAnEvaluatedPoint(boolean search) {
    for (int failing = 1; failing <= 24; failing++) {
      try (Parameters all = parameters();
          Lbfgs optimizer =
              Lbfgs.builder(all)
                  .strongWolfe(search)
                  .learningRate(search ? 1 : 0.1)
                  .maxIterations(15)
                  .maxEvaluations(50)
                  .build()) {
        PROBLEM.begin(all.all());
        DoubleSupplier closure = PROBLEM.closure(all.all());
        List<double[]> evaluated = new ArrayList<>();
        int fails = failing;
        DoubleSupplier limited =
            () -> {
              if (evaluated.size() + 1 == fails) {
                throw new IllegalStateException("meant to fail");
              }
              evaluated.add(LbfgsProblem.data(all.all()));
              return closure.getAsDouble();
            };
        double[] before = LbfgsProblem.data(all.all());
        Runnable untilFailure =
            () -> {
              while (true) {
                optimizer.step(limited);
              }
            };
        assertEquals(
            "meant to fail",
            assertThrows(IllegalStateException.class, untilFailure::run).getMessage());
        assertEquals(End.NONE, optimizer.report().end());
        assertEquals(failing - 1, optimizer.state().evaluations());
        double[] after = LbfgsProblem.data(all.all());
        List<double[]> points = failing == 1 ? List.of(before) : evaluated;
        boolean betweenSteps = !search && failing == 16;
        assertTrue(
            betweenSteps || points.stream().anyMatch(each -> Arrays.equals(each, after)),
            "call " + failing + " left another point");
        double loss = 1e9;
        for (int i = 0; i < 60 && search; i++) {
          loss = optimizer.step(closure);
        }
        assertTrue(!search || loss < 1e-6, "call " + failing + ": " + loss);
      }
    }
  }

  /// The interrupted iteration is made again from the same point, so the run ends at the same bits.
  @Test
  void aStepAfterAFailureContinuesTheRun() {
    double[] expected = run(Integer.MAX_VALUE);
    for (int failing = 2; failing <= 12; failing++) {
      assertArrayEquals(expected, run(failing), "call " + failing);
    }
  }

  /// Eight iterations, each in a step of its own.
  private static double[] run(int failing) {
    try (Parameters all = parameters();
        Lbfgs optimizer = Lbfgs.builder(all).strongWolfe(true).maxIterations(1).build()) {
      PROBLEM.begin(all.all());
      DoubleSupplier closure = PROBLEM.closure(all.all());
      int[] calls = new int[1];
      while (optimizer.state().iterations() < 8) {
        try {
          optimizer.step(
              () -> {
                if (++calls[0] == failing) {
                  throw new UnsupportedOperationException("meant to fail");
                }
                return closure.getAsDouble();
              });
        } catch (UnsupportedOperationException e) {
          assertEquals("meant to fail", e.getMessage());
        }
      }
      return LbfgsProblem.data(all.all());
    }
  }

  @Test
  void aLossThatIsNotFiniteEndsAStepWithoutASearch() {
    for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      try (Parameters all = parameters();
          Lbfgs optimizer = Lbfgs.builder(all).learningRate(1e-2).build()) {
        PROBLEM.begin(all.all());
        DoubleSupplier closure = PROBLEM.closure(all.all());
        List<double[]> points = new ArrayList<>();
        optimizer.step(
            () -> {
              points.add(LbfgsProblem.data(all.all()));
              double loss = closure.getAsDouble();
              return points.size() == 4 ? bad : loss;
            });
        LbfgsReport report = optimizer.report();
        assertEquals(End.NOT_FINITE, report.end());
        assertEquals(4, report.evaluations());
        assertTrue(Double.isFinite(report.lastLoss()), report.toString());
        assertArrayEquals(points.get(2), LbfgsProblem.data(all.all()));
        optimizer.step(closure);
        assertEquals(End.ITERATIONS, optimizer.report().end());
      }
    }
  }

  @Test
  void aGradientThatIsNotFiniteAtFirstChangesNothing() {
    for (boolean search : new boolean[] {false, true}) {
      try (Parameters all = parameters();
          Lbfgs optimizer = Lbfgs.builder(all).strongWolfe(search).build()) {
        PROBLEM.begin(all.all());
        DoubleSupplier closure = PROBLEM.closure(all.all());
        double[] before = LbfgsProblem.data(all.all());
        optimizer.step(
            () -> {
              double loss = closure.getAsDouble();
              all.get("b").gradient().setAtIndex(JAVA_FLOAT, 3, Float.NaN);
              return loss;
            });
        assertEquals(End.NOT_FINITE, optimizer.report().end());
        assertTrue(Double.isNaN(optimizer.step(() -> Double.NaN)));
        assertEquals(End.NOT_FINITE, optimizer.report().end());
        assertArrayEquals(before, LbfgsProblem.data(all.all()));
        assertEquals(0, optimizer.state().iterations());
      }
    }
  }

  /// -log(1 - x) - log(x) + x is NaN outside of (0, 1), and its gradient is not.
  @Test
  void theSearchAvoidsPointsThatAreNotFinite() {
    for (double outside : new double[] {Double.NaN, Double.POSITIVE_INFINITY, -1. / 0}) {
      try (Parameters all = Parameters.builder().add("x", 1).build();
          Lbfgs optimizer =
              Lbfgs.builder(all).strongWolfe(true).learningRate(30).maxIterations(40).build()) {
        MemorySegment data = all.get("x").data();
        data.setAtIndex(JAVA_FLOAT, 0, 0.01f);
        int[] leaves = new int[1];
        optimizer.step(
            () -> {
              double x = data.getAtIndex(JAVA_FLOAT, 0);
              double gradient = 1 / (1 - x) - 1 / x + 1;
              all.get("x").gradient().setAtIndex(JAVA_FLOAT, 0, (float) gradient);
              if (x <= 0 || x >= 1) {
                leaves[0]++;
                return outside;
              }
              return -Math.log(1 - x) - Math.log(x) + x;
            });
        assertTrue(leaves[0] > 0, "the search stayed inside");
        assertEquals((3 - Math.sqrt(5)) / 2, data.getAtIndex(JAVA_FLOAT, 0), 1e-4);
      }
    }
  }

  @Test
  void aClosedArenaIsNamed() {
    for (int closing = 1; closing <= 3; closing++) {
      try (Parameters all = Parameters.builder().add("a", 7).build()) {
        Arena arena = Arena.ofShared();
        Parameter other = Parameter.of("b", 13, arena.allocate(52, 4), arena.allocate(52, 4));
        List<Parameter> both = List.of(all.get("a"), other);
        PROBLEM.begin(both);
        try (Lbfgs optimizer = Lbfgs.builder(both).strongWolfe(true).build()) {
          DoubleSupplier closure = PROBLEM.closure(both);
          List<float[]> points = new ArrayList<>();
          int closes = closing;
          String message =
              assertThrows(
                      IllegalStateException.class,
                      () ->
                          optimizer.step(
                              () -> {
                                points.add(all.get("a").data().toArray(JAVA_FLOAT));
                                double loss = closure.getAsDouble();
                                if (points.size() == closes) {
                                  arena.close();
                                }
                                return loss;
                              }))
                  .getMessage();
          assertTrue(message.contains("of 'b' lies in an arena that has been closed"), message);
          // The other parameter is back where the iteration began.
          float[] now = all.get("a").data().toArray(JAVA_FLOAT);
          assertTrue(
              (closing < 3 ? points.subList(0, 1) : points)
                  .stream().anyMatch(each -> Arrays.equals(each, now)),
              "closed at call " + closing);
          assertThrows(IllegalStateException.class, () -> optimizer.step(() -> 1));
        }
      }
    }
  }

  @Test
  void aClosureCannotUseTheOptimizer() {
    try (Parameters all = parameters();
        Lbfgs optimizer = Lbfgs.builder(all).build()) {
      PROBLEM.begin(all.all());
      LbfgsState state = optimizer.state();
      DoubleSupplier closure = PROBLEM.closure(all.all());
      List<Runnable> forbidden =
          List.of(
              () -> optimizer.step(closure),
              optimizer::state,
              () -> optimizer.withState(each -> 1),
              () -> optimizer.loadState(state),
              () -> optimizer.setLearningRate(3),
              optimizer::close);
      for (Runnable each : forbidden) {
        double[] before = LbfgsProblem.data(all.all());
        String message =
            assertThrows(
                    IllegalStateException.class,
                    () ->
                        optimizer.step(
                            () -> {
                              each.run();
                              return 0;
                            }))
                .getMessage();
        assertTrue(message.contains("by the closure of its step"), message);
        assertArrayEquals(before, LbfgsProblem.data(all.all()));
        assertThrows(
            IllegalStateException.class,
            () ->
                optimizer.withState(
                    live -> {
                      each.run();
                      return 0;
                    }));
      }
      optimizer.step(closure);
    }
  }

  @Test
  void oneThreadAtATimeSteps() throws Exception {
    try (Parameters all = parameters();
        Lbfgs optimizer = Lbfgs.builder(all).build()) {
      PROBLEM.begin(all.all());
      DoubleSupplier closure = PROBLEM.closure(all.all());
      CountDownLatch inside = new CountDownLatch(1);
      CountDownLatch refused = new CountDownLatch(1);
      AtomicReference<LbfgsState> read = new AtomicReference<>();
      Thread stepping =
          Thread.ofPlatform()
              .start(
                  () ->
                      optimizer.step(
                          () -> {
                            inside.countDown();
                            try {
                              refused.await(60, TimeUnit.SECONDS);
                            } catch (InterruptedException e) {
                              throw new IllegalStateException(e);
                            }
                            return closure.getAsDouble();
                          }));
      assertTrue(inside.await(60, TimeUnit.SECONDS), "no step began");
      String message =
          assertThrows(IllegalStateException.class, () -> optimizer.step(closure)).getMessage();
      assertTrue(message.contains("another thread is stepping"), message);
      Thread reading = Thread.ofPlatform().start(() -> read.set(optimizer.state()));
      refused.countDown();
      stepping.join();
      reading.join();
      // The reading came during the step and waited for its end.
      assertEquals(optimizer.state().iterations(), read.get().iterations());
      assertTrue(read.get().iterations() > 0);
    }
  }

  @Test
  void aClosedOptimizerRefusesAll() {
    Lbfgs optimizer;
    try (Parameters all = parameters()) {
      optimizer = Lbfgs.builder(all).build();
      LbfgsState state = optimizer.state();
      optimizer.close();
      optimizer.close();
      for (Runnable each :
          List.<Runnable>of(
              () -> optimizer.step(() -> 1),
              optimizer::state,
              optimizer::zeroGrad,
              () -> optimizer.loadState(state),
              () -> optimizer.differences(state),
              () -> optimizer.setLearningRate(1))) {
        assertEquals(
            "the optimizer has been closed",
            assertThrows(IllegalStateException.class, each::run).getMessage());
      }
      assertEquals(20, state.direction().byteSize() / Float.BYTES);
      assertEquals(0, state.direction().getAtIndex(JAVA_FLOAT, 19));
    }
  }
}
