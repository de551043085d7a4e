package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Hyperparameter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// State dicts, and optimizers that grow during a training.
class StateDictTest {
  private static final String PRODUCT = "momentumProduct";

  static List<Case> cases() {
    return MixedCases.withSingle();
  }

  private static Parameters parameters(String... names) {
    Parameters.Builder builder = Parameters.builder();
    for (int i = 0; i < names.length; i++) {
      builder.add(names[i], MatrixShapes.wide(33 + i));
    }
    Parameters built = builder.build();
    for (Parameter each : built) {
      fill(each.data(), each.name().length());
    }
    return built;
  }

  private static void fill(MemorySegment segment, float value) {
    for (long i = 0; i < segment.byteSize() / Float.BYTES; i++) {
      segment.setAtIndex(JAVA_FLOAT, i, value / (1 + i));
    }
  }

  private static void steps(Optimizer optimizer, Iterable<Parameter> all, int from, int to) {
    for (int step = from; step < to; step++) {
      for (Parameter each : all) {
        fill(each.gradient(), (step % 5) - 1.5f);
      }
      optimizer.step();
    }
  }

  private static void assertSameBits(
      Optimizer expected, Parameters expectedOf, Optimizer actual, Parameters actualOf) {
    assertNull(
        Problem.difference(
            Problem.bits(expected, expectedOf.all()), Problem.bits(actual, actualOf.all())));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aSaveAndLoadDuringTheRunChangesNothing(Case tested) {
    try (Parameters whole = parameters("a", "b");
        Parameters halves = parameters("a", "b");
        Optimizer uninterrupted = tested.builder().apply(whole).build();
        Optimizer before = tested.builder().apply(halves).build()) {
      steps(uninterrupted, whole, 0, 20);
      steps(before, halves, 0, 11);
      StateDict saved = before.stateDict();
      try (Optimizer after = tested.builder().apply(halves).backend(Backends.scalar()).build()) {
        after.paramGroups().forEach(group -> group.setLearningRate(7));
        after.loadStateDict(saved);
        steps(after, halves, 11, 20);
        assertEquals(20, after.stepCount(halves.get("a")));
        assertSameBits(uninterrupted, whole, after, halves);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aStateDictIsACopyThatCanBeLoaded(Case tested) {
    try (Parameters p = parameters("a");
        Optimizer optimizer = tested.builder().apply(p).build()) {
      StateDict fresh = optimizer.stateDict();
      steps(optimizer, p, 0, 3);
      StateDict saved = optimizer.stateDict();
      Map<String, int[]> then = Problem.bits(optimizer, p.all());
      float[] data = p.get("a").data().toArray(JAVA_FLOAT);
      steps(optimizer, p, 3, 6);
      optimizer.loadStateDict(saved);
      MemorySegment.copy(data, 0, p.get("a").data(), JAVA_FLOAT, 0, data.length);
      assertNull(Problem.difference(then, Problem.bits(optimizer, p.all())));
      optimizer.loadStateDict(fresh);
      assertEquals(0, optimizer.stepCount(p.get("a")));
      assertTrue(optimizer.state(p.get("a")).isEmpty());
    }
  }

  @Test
  void parametersMayBeRenamedAndGroupedAnew() {
    try (Parameters old = parameters("x", "y");
        Parameters renamed = parameters("a", "b");
        Optimizer from = NAdam.builder(old).build();
        Optimizer to =
            NAdam.builder(List.of(renamed.get("a")))
                .group(List.of(renamed.get("b")), Map.of(Hyperparameter.LEARNING_RATE, 9.0))
                .build()) {
      steps(from, old, 0, 5);
      steps(to, renamed, 0, 2);
      to.loadStateDict(from.stateDict(), Map.of("x", "a", "y", "b"));
      for (Parameter each : renamed) {
        each.data().copyFrom(old.get(each.name().equals("a") ? "x" : "y").data());
      }
      assertEquals(2e-3, to.paramGroups().get(1).learningRate());
      steps(from, old, 5, 9);
      steps(to, renamed, 5, 9);
      assertEquals(-1, old.get("y").data().mismatch(renamed.get("b").data()));
      assertEquals(-1, old.get("x").data().mismatch(renamed.get("a").data()));
    }
  }

  private static void refused(String words, Optimizer optimizer, StateDict dict) {
    StateDict before = optimizer.stateDict();
    var e = assertThrows(IllegalArgumentException.class, () -> optimizer.loadStateDict(dict));
    assertTrue(e.getMessage().contains(words), e.getMessage());
    StateDict after = optimizer.stateDict();
    before
        .parameters()
        .forEach(
            (name, state) -> {
              var now = after.parameters().get(name);
              assertEquals(state.steps(), now.steps());
              assertEquals(state.hyperparameters(), now.hyperparameters());
              state
                  .states()
                  .forEach((kind, bits) -> assertEquals(-1, bits.mismatch(now.states().get(kind))));
            });
  }

  private static StateDict with(StateDict dict, String name, StateDict.ParameterState state) {
    Map<String, StateDict.ParameterState> changed = new LinkedHashMap<>(dict.parameters());
    changed.put(name, state);
    return new StateDict(changed);
  }

  @Test
  void aMismatchIsRejectedAndChangesNothing() {
    try (Parameters p = parameters("a", "b");
        Parameters other = parameters("b", "a");
        Parameters more = parameters("a", "b", "c");
        Parameters fewer = parameters("a");
        Optimizer adam = Adam.builder(p).build();
        Optimizer sgd = Sgd.builder(p).momentum(0.9).build();
        Optimizer swapped = Adam.builder(other).build();
        Optimizer three = Adam.builder(more).build();
        Optimizer one = Adam.builder(fewer).build()) {
      steps(adam, p, 0, 3);
      steps(sgd, p, 0, 3);
      steps(swapped, other, 0, 3);
      refused("'a', 'b': it is of the rule", adam, sgd.stateDict());
      refused("'a' has 34 elements, but 33 in the optimizer", adam, swapped.stateDict());
      refused("the optimizer has no parameter 'c'", adam, three.stateDict());
      refused("it has no parameter 'b'", adam, one.stateDict());

      StateDict good = adam.stateDict();
      var a = good.parameters().get("a");
      var hyper = new LinkedHashMap<>(a.hyperparameters());
      hyper.put(Hyperparameter.LEARNING_RATE, Double.NaN);
      refused(
          "learningRate is NaN",
          adam,
          new StateDict(
              Map.of(
                  "a", new StateDict.ParameterState(a.rule(), 33, 3, Map.of(), hyper, a.states()),
                  "b",
                      new StateDict.ParameterState(
                          a.rule(), 34, 3, Map.of(), hyper, good.parameters().get("b").states()))));
      refused(
          "but others of its group",
          adam,
          with(
              good,
              "a",
              new StateDict.ParameterState(a.rule(), 33, 3, Map.of(), hyper, a.states())));
      refused(
          "'a' has the states [], but must have",
          adam,
          with(
              good,
              "a",
              new StateDict.ParameterState(
                  a.rule(), 33, 3, Map.of(), a.hyperparameters(), Map.of())));
      refused(
          "'a' has made -1 steps",
          adam,
          with(
              good,
              "a",
              new StateDict.ParameterState(
                  a.rule(), 33, -1, Map.of(), a.hyperparameters(), Map.of())));
      refused(
          "'a' has made 9223372036854775807 steps, but must have made from 0 to",
          adam,
          with(
              good,
              "a",
              new StateDict.ParameterState(
                  a.rule(), 33, Long.MAX_VALUE, Map.of(), a.hyperparameters(), a.states())));
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> adam.loadStateDict(good, Map.of("nobody", "a")));
      assertTrue(e.getMessage().contains("renaming names [nobody]"), e.getMessage());
      assertThrows(
          IllegalArgumentException.class, () -> adam.loadStateDict(good, Map.of("a", "b")));
    }
  }

  @Test
  void scalarsOfOtherNamesOrOutOfRangeAreRejected() {
    try (Parameters p = parameters("a", "b");
        Optimizer nadam = NAdam.builder(p).build();
        Optimizer adam = Adam.builder(p).build()) {
      assertEquals(
          Map.of("momentumProduct", 1.0), nadam.stateDict().parameters().get("a").scalars());
      assertEquals(Map.of(), adam.stateDict().parameters().get("a").scalars());
      steps(nadam, p, 0, 3);
      steps(adam, p, 0, 3);
      for (Map<String, Double> wrong :
          List.of(Map.<String, Double>of(), Map.of("other", 0.5), Map.of(PRODUCT, .5, "b", .5))) {
        refused("but must have [momentumProduct]", nadam, with(nadam.stateDict(), "a", wrong));
      }
      for (double wrong : new double[] {Double.NaN, -0.1, 1.1}) {
        refused(
            "'a' has a momentumProduct of " + wrong,
            nadam,
            with(nadam.stateDict(), "a", Map.of(PRODUCT, wrong)));
      }
      refused(
          "'a' has the scalars [momentumProduct], but must have []",
          adam,
          with(adam.stateDict(), "a", Map.of(PRODUCT, 0.5)));
    }
  }

  private static StateDict with(StateDict dict, String name, Map<String, Double> scalars) {
    var of = dict.parameters().get(name);
    return with(
        dict,
        name,
        new StateDict.ParameterState(
            of.rule(), of.shape(), of.steps(), scalars, of.hyperparameters(), of.states()));
  }

  static List<Case> casesOfOneRule() {
    return OptimizerCases.cases();
  }

  @ParameterizedTest
  @MethodSource("casesOfOneRule")
  void anAddedGroupBehavesLikeASeparateOptimizer(Case tested) {
    try (Parameters together = parameters("a", "b");
        Parameters apart = parameters("a", "b");
        Optimizer grown = tested.builder().apply(List.of(together.get("a"))).threads(1).build();
        Optimizer first = tested.builder().apply(List.of(apart.get("a"))).build();
        Optimizer second = tested.preset(List.of(apart.get("b"))).learningRate(0.05).build()) {
      steps(grown, List.of(together.get("a")), 0, 10);
      grown.addParamGroup(List.of(together.get("b")), Map.of(Hyperparameter.LEARNING_RATE, 0.05));
      steps(grown, together, 10, 15);
      steps(first, List.of(apart.get("a")), 0, 15);
      steps(second, List.of(apart.get("b")), 10, 15);
      for (String name : List.of("a", "b")) {
        assertEquals(-1, together.get(name).data().mismatch(apart.get(name).data()), name);
      }
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> grown.addParamGroup(List.of(together.get("b")), Map.of()));
      assertEquals("parameter 'b' is given twice", e.getMessage());
      assertEquals(2, grown.paramGroups().size());
    }
  }

  @Test
  void aStepThatWasRefusedLeavesNoStates() {
    try (Parameters p = parameters("a");
        Optimizer optimizer = Adam.builder(p).build()) {
      MemorySegment own = p.get("a").gradient();
      Arena closed = Arena.ofShared();
      p.get("a").setGradient(closed.allocate(own.byteSize(), 4));
      Runnable takeAway = optimizer.addStepPreHook(o -> closed.close());
      assertThrows(IllegalStateException.class, optimizer::step);
      takeAway.run();
      p.get("a").setGradient(own);
      assertTrue(optimizer.state(p.get("a")).isEmpty());
      optimizer.loadStateDict(optimizer.stateDict());
    }
  }

  @Test
  void hooksAreCalledAroundEachStepUntilRemoved() {
    try (Parameters p = parameters("a");
        Optimizer optimizer = Sgd.builder(p).build()) {
      List<String> calls = new ArrayList<>();
      Runnable takeAway =
          optimizer.addStepPreHook(o -> calls.add("before " + o.stepCount(p.get("a"))));
      optimizer.addStepPostHook(o -> calls.add("after " + o.stepCount(p.get("a"))));
      optimizer.step();
      takeAway.run();
      optimizer.step();
      assertEquals(List.of("before 0", "after 1", "after 2"), calls);
    }
  }

  @Test
  void gradientsCanBeSetToNone() {
    try (Parameters p = parameters("a");
        Optimizer optimizer = Adam.builder(p).build()) {
      optimizer.zeroGrad(true);
      assertTrue(!p.get("a").hasGradient());
      optimizer.step();
      assertEquals(0, optimizer.stepCount(p.get("a")));
    }
  }
}
