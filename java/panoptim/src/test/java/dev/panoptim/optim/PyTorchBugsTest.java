package dev.panoptim.optim;

import static dev.panoptim.optim.PeerBugsTest.at;
import static dev.panoptim.optim.PeerBugsTest.fill;
import static dev.panoptim.optim.PeerBugsTest.parameter;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Hyperparameter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Defects of PyTorch, each as a test. [PeerBugsTest] has those of other libraries.
class PyTorchBugsTest {
  static List<Case> cases() {
    return OptimizerCases.cases();
  }

  /// PyTorch's fused step updates a column as if its elements were contiguous, and overwrites the
  /// neighbouring columns. Here a parameter is a contiguous segment whose size must match its
  /// elements, and the memory around it does not change.
  @Test
  void pyTorchFusedUpdatesTheNeighboursOfAStridedParameter() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment matrix = arena.allocate(4 * 64 * 3, 64);
      fill(matrix, 1);
      // 64 elements with a stride of three span 190 elements of the matrix.
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> Parameter.of("column", 64, matrix.asSlice(0, 4 * 190)));
      assertEquals(
          "data of 'column' has 760 bytes, but must have 256 for 64 elements", e.getMessage());
      Parameter row = Parameter.of("row", 64, matrix.asSlice(256, 256), arena.allocate(256, 4));
      fill(row.gradient(), 1);
      for (Backend backend : Problem.backends()) {
        try (Optimizer optimizer = AdamW.builder(List.of(row)).backend(backend).build()) {
          optimizer.step();
        }
      }
      for (int i = 0; i < 64; i++) {
        assertEquals(1, matrix.getAtIndex(JAVA_FLOAT, i));
        assertNotEquals(1, matrix.getAtIndex(JAVA_FLOAT, 64 + i));
        assertEquals(1, matrix.getAtIndex(JAVA_FLOAT, 128 + i));
      }
    }
  }

  /// PyTorch restores states by position, so that parameters in another order get the wrong states.
  @Test
  void pyTorchRestoresByPosition() {
    try (Arena arena = Arena.ofConfined()) {
      List<Parameter> order = List.of(parameter(arena, "a", 3), parameter(arena, "b", 3));
      fill(order.get(0).gradient(), 1);
      fill(order.get(1).gradient(), 2);
      try (Optimizer from = Sgd.builder(order).momentum(0.9).build();
          Optimizer to = Sgd.builder(order.reversed()).momentum(0.9).build()) {
        from.step();
        to.loadStateDict(from.stateDict());
        for (Parameter each : order) {
          MemorySegment momentum = to.state(each).get("firstMoment");
          assertEquals(each.name().equals("a") ? 1 : 2, momentum.getAtIndex(JAVA_FLOAT, 0));
        }
      }
    }
  }

  /// PyTorch loads a state of another shape without an error and fails at the next step. It also
  /// loads SGD's state into Adam.
  @Test
  void pyTorchLoadsAMismatchedState() {
    try (Arena arena = Arena.ofConfined()) {
      List<Parameter> three = List.of(parameter(arena, "p", 3));
      List<Parameter> four = List.of(parameter(arena, "p", 4));
      try (Optimizer small = Adam.builder(three).build();
          Optimizer large = Adam.builder(four).build();
          Optimizer sgd = Sgd.builder(four).momentum(0.9).build()) {
        small.step();
        sgd.step();
        var size =
            assertThrows(
                IllegalArgumentException.class, () -> large.loadStateDict(small.stateDict()));
        assertTrue(
            size.getMessage().contains("'p' has 3 elements, but 4 in the optimizer"),
            size.getMessage());
        var kind =
            assertThrows(
                IllegalArgumentException.class, () -> large.loadStateDict(sgd.stateDict()));
        assertTrue(kind.getMessage().contains("it is of the rule"), kind.getMessage());
        assertEquals(0, large.stepCount(four.getFirst()));
      }
    }
  }

  /// PyTorch's state dict is the live state, which changes at the next step.
  @ParameterizedTest
  @MethodSource("cases")
  void pyTorchsStateDictIsAnAlias(Case tested) {
    try (Parameters parameters = Parameters.builder().add("p", 3, 3).build();
        Optimizer optimizer = tested.builder().apply(parameters).build()) {
      fill(parameters.get("p").gradient(), 0.5f);
      optimizer.step();
      StateDict.ParameterState saved = optimizer.stateDict().parameters().get("p");
      Map<String, float[]> then = new LinkedHashMap<>();
      saved.states().forEach((name, state) -> then.put(name, state.toArray(JAVA_FLOAT)));
      optimizer.paramGroups().getFirst().setLearningRate(9);
      optimizer.step();
      assertEquals(1, saved.steps());
      assertNotEquals(9.0, saved.hyperparameters().get(Hyperparameter.LEARNING_RATE));
      then.forEach(
          (name, before) ->
              assertEquals(
                  -1, MemorySegment.ofArray(before).mismatch(saved.states().get(name)), name));
    }
  }

  /// PyTorch casts the state to the parameter's type. Here states are float32; other sizes are
  /// rejected.
  @Test
  void pyTorchCastsState() {
    try (Arena arena = Arena.ofConfined()) {
      List<Parameter> p = List.of(parameter(arena, "p", 3));
      try (Optimizer optimizer = Sgd.builder(p).momentum(0.9).build()) {
        optimizer.step();
        StateDict good = optimizer.stateDict();
        var state = good.parameters().get("p");
        // The sizes of three doubles, and of three half-precision numbers.
        for (long bytes : new long[] {24, 6}) {
          StateDict other =
              new StateDict(
                  Map.of(
                      "p",
                      new StateDict.ParameterState(
                          state.rule(),
                          3,
                          1,
                          Map.of(),
                          state.hyperparameters(),
                          Map.of("firstMoment", arena.allocate(bytes, 8)))));
          var e =
              assertThrows(IllegalArgumentException.class, () -> optimizer.loadStateDict(other));
          assertTrue(
              e.getMessage().contains("has " + bytes + " bytes, but must have 12"), e.getMessage());
        }
      }
    }
  }

  /// PyTorch checks the arguments of its constructor, but not those of a group, and accepts NaN.
  @Test
  void pyTorchTakesAnyOverrideOfAGroup() {
    try (Arena arena = Arena.ofConfined()) {
      List<Parameter> p = List.of(parameter(arena, "p", 1));
      List<Parameter> q = List.of(parameter(arena, "q", 1));
      for (double value : new double[] {-5, Double.NaN, Double.POSITIVE_INFINITY}) {
        Map<Hyperparameter, Double> overrides = Map.of(Hyperparameter.LEARNING_RATE, value);
        assertThrows(
            IllegalArgumentException.class, () -> Sgd.builder(p).group(q, overrides).build());
        try (Optimizer optimizer = Sgd.builder(p).build()) {
          assertThrows(IllegalArgumentException.class, () -> optimizer.addParamGroup(q, overrides));
          assertEquals(1, optimizer.paramGroups().size());
        }
      }
      assertThrows(
          IllegalArgumentException.class,
          () ->
              Sgd.builder(p).momentum(0.9).group(q, Map.of(Hyperparameter.MOMENTUM, -1.0)).build());
      // PyTorch ignores a misspelt key. Here a hyperparameter that the optimizer does not have is
      // rejected.
      assertThrows(
          IllegalArgumentException.class,
          () -> Sgd.builder(p).group(q, Map.of(Hyperparameter.BETA1, 0.9)).build());
    }
  }

  /// PyTorch counts steps in float32, which stops at 2^24.
  @Test
  void pyTorchStopsCountingAt16777216Steps() {
    try (Arena arena = Arena.ofConfined()) {
      Parameter p = parameter(arena, "p", 1);
      try (Optimizer optimizer = Adam.builder(List.of(p)).build()) {
        optimizer.step();
        StateDict dict = optimizer.stateDict();
        var state = dict.parameters().get("p");
        for (long count : new long[] {1L << 24, 1L << 40}) {
          optimizer.loadStateDict(
              new StateDict(
                  Map.of(
                      "p",
                      new StateDict.ParameterState(
                          state.rule(),
                          1,
                          count,
                          Map.of(),
                          state.hyperparameters(),
                          state.states()))));
          optimizer.step();
          optimizer.step();
          assertEquals(count + 2, optimizer.stepCount(p));
        }
      }
    }
  }

  /// PyTorch's centered RMSprop becomes NaN at step 1207 of a constant gradient, when a rounding
  /// makes the variance negative.
  ///
  /// This gradient, found by search, causes such a rounding after 21 steps with this alpha.
  @Test
  void pyTorchsCenteredRmsPropTurnsNaN() {
    for (Backend backend : Problem.backends()) {
      try (Parameters parameters = Parameters.builder().add("p", 33).build();
          Optimizer optimizer =
              RmsProp.builder(parameters).centered(true).alpha(0.5).backend(backend).build()) {
        Parameter p = parameters.get("p");
        fill(p.gradient(), 5.7349005f);
        for (int step = 0; step < 100; step++) {
          optimizer.step();
        }
        for (long i = 0; i < 33; i++) {
          assertTrue(Float.isFinite(at(p, i)), backend + ", element " + i + " is " + at(p, i));
        }
      }
    }
  }
}
