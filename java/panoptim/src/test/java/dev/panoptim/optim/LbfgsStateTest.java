package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.panoptim.Illegal;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Saves and loads the state of L-BFGS.
class LbfgsStateTest {
  private static final LbfgsProblem PROBLEM = LbfgsProblem.ROSENBROCK20;

  private static Parameters parameters() {
    return Parameters.builder().add("a", 7).add("b", 13).build();
  }

  private static double[] bitsOf(LbfgsState state) {
    List<MemorySegment> vectors =
        new ArrayList<>(List.of(state.direction(), state.previousGradient()));
    state.pairs().forEach(pair -> vectors.addAll(List.of(pair.step(), pair.change())));
    List<Double> all = new ArrayList<>();
    for (MemorySegment each : vectors) {
      for (float value : each.toArray(JAVA_FLOAT)) {
        all.add((double) value);
      }
    }
    state.pairs().forEach(pair -> all.add(pair.inverse()));
    all.addAll(
        List.of(
            (double) state.iterations(),
            (double) state.evaluations(),
            state.stepLength(),
            state.scale()));
    return all.stream().mapToDouble(Double::doubleValue).toArray();
  }

  @Test
  void aSavedStateContinuesWithTheSameBits() {
    for (boolean search : new boolean[] {false, true}) {
      try (Parameters one = parameters();
          Parameters two = parameters();
          Lbfgs first = history(one, search);
          Lbfgs second = history(two, search)) {
        PROBLEM.begin(one.all());
        // The second optimizer already has another history.
        LbfgsProblem.set(two.all(), new double[20]);
        for (int i = 0; i < 3; i++) {
          first.step(PROBLEM.closure(one.all()));
          second.step(PROBLEM.closure(two.all()));
        }
        LbfgsState state = first.state();
        double[] saved = bitsOf(state);
        LbfgsProblem.set(two.all(), LbfgsProblem.data(one.all()));
        second.loadState(state);
        assertArrayEquals(saved, bitsOf(second.state()));
        for (int i = 0; i < 3; i++) {
          first.step(PROBLEM.closure(one.all()));
          second.step(PROBLEM.closure(two.all()));
          assertArrayEquals(LbfgsProblem.data(one.all()), LbfgsProblem.data(two.all()));
        }
        assertArrayEquals(bitsOf(first.state()), bitsOf(second.state()));
        assertArrayEquals(saved, bitsOf(state), "later steps changed a snapshot");
      }
    }
  }

  /// The history is full after the second step.
  private static Lbfgs history(Parameters all, boolean search) {
    return Lbfgs.builder(all)
        .strongWolfe(search)
        .learningRate(search ? 1 : 0.2)
        .historySize(5)
        .maxIterations(4)
        .build();
  }

  @Test
  void aStateThatDoesNotFitIsRefused() {
    try (Parameters all = parameters();
        Lbfgs optimizer = history(all, true)) {
      PROBLEM.begin(all.all());
      optimizer.step(PROBLEM.closure(all.all()));
      optimizer.step(PROBLEM.closure(all.all()));
      LbfgsState state = optimizer.state();
      double[] before = bitsOf(state);
      refuses("the parameters [b, a], not [a, b]", state, List.of(shape("b", 13), shape("a", 7)));
      refuses(
          "'a' has the shape [8] in the state, not [7]",
          state,
          List.of(shape("a", 8), shape("b", 12)));
      try (Lbfgs shorter = Lbfgs.builder(all).historySize(4).build()) {
        Illegal.assertSays(
            "a history of 5 pairs, but historySize is 4", () -> shorter.loadState(state));
        assertEquals(0, shorter.state().pairs().size());
      }
      LbfgsState live = optimizer.withState(each -> each);
      Illegal.assertSays("lies in the memory of this optimizer", () -> optimizer.loadState(live));
      LbfgsState wrong =
          new LbfgsState(
              state.parameters(),
              1,
              1,
              1,
              1,
              1,
              state.direction().asSlice(4),
              state.previousGradient(),
              state.pairs());
      Illegal.assertSays(
          "direction of the state has 76 bytes, but must have 80",
          () -> optimizer.loadState(wrong));
      Arena arena = Arena.ofShared();
      LbfgsState gone =
          new LbfgsState(
              state.parameters(),
              1,
              1,
              1,
              1,
              1,
              arena.allocate(80, 4),
              state.previousGradient(),
              state.pairs());
      arena.close();
      assertThrows(IllegalStateException.class, () -> optimizer.loadState(gone));
      assertArrayEquals(before, bitsOf(optimizer.state()));
      assertEquals(List.of(), optimizer.differences(state));
    }
  }

  private static LbfgsState.ParameterShape shape(String name, long size) {
    return new LbfgsState.ParameterShape(name, List.of(size));
  }

  private static void refuses(
      String words, LbfgsState state, List<LbfgsState.ParameterShape> shapes) {
    LbfgsState other =
        new LbfgsState(
            shapes, 1, 1, 1, 1, 1, state.direction(), state.previousGradient(), state.pairs());
    try (Parameters all = parameters();
        Lbfgs optimizer = Lbfgs.builder(all).build()) {
      Illegal.assertSays(words, () -> optimizer.loadState(other));
      assertEquals(1, optimizer.differences(other).stream().filter(e -> e.contains(words)).count());
      assertEquals(0, optimizer.state().iterations());
    }
  }

  @Test
  void illegalNumbersOfAStateAreNamed() {
    try (Parameters all = parameters();
        Lbfgs optimizer = Lbfgs.builder(all).build()) {
      LbfgsState s = optimizer.state();
      for (double bad : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
        Illegal.assertSays(
            "scale is " + bad,
            () ->
                new LbfgsState(
                    s.parameters(),
                    1,
                    0,
                    0,
                    0,
                    bad,
                    s.direction(),
                    s.previousGradient(),
                    List.of()));
        Illegal.assertSays(
            "inverse is " + bad,
            () -> new LbfgsState.HistoryPair(s.direction(), s.direction(), bad));
      }
      Illegal.assertSays(
          "iterations is -1",
          () ->
              new LbfgsState(
                  s.parameters(), 1, -1, 0, 0, 1, s.direction(), s.previousGradient(), List.of()));
    }
  }
}
