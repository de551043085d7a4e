package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.metrics.Metrics;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Steps of some parameters give the bits of steps of all.
class PartialStepsTest {
  private static final long SEED = System.nanoTime();

  static {
    System.out.println("PartialStepsTest: seed " + SEED);
  }

  static List<Case> cases() {
    return MixedCases.withSingle();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void randomTrainingsGiveTheBitsOfWholeSteps(Case tested) {
    for (boolean extras : new boolean[] {false, true}) {
      PartialTraining training = new PartialTraining(SEED, extras);
      Map<String, int[]> expected = training.reference(tested);
      for (Backend backend : Problem.backends()) {
        String difference = Problem.difference(expected, training.run(tested, backend, 2));
        assertNull(difference, () -> tested + " on " + backend.describe() + ", " + training);
      }
    }
  }

  /// A backward pass with one buffer for all gradients.
  @Test
  void allGradientsMayLieInTheSameMemory() {
    Problem problem = new Problem(new long[] {300, 5, 0, 300, 17}, 0, 8, 3, false);
    for (Backend backend : Problem.backends()) {
      SplittableRandom numbers = new SplittableRandom(1);
      SplittableRandom same = new SplittableRandom(1);
      try (Arena arena = Arena.ofShared()) {
        List<Parameter> one = problem.parameters(arena, numbers, backend.device());
        List<Parameter> other = problem.parameters(arena, same, backend.device());
        MemorySegment buffer = arena.allocate(300 * Float.BYTES, Float.BYTES);
        try (Optimizer partial = Adam.builder(one).backend(backend).build();
            Optimizer whole = Adam.builder(other).backend(backend).build()) {
          for (int step = 0; step < 3; step++) {
            for (int i = one.size() - 1; i >= 0; i--) {
              one.get(i).setGradient(buffer.asSlice(0, one.get(i).size() * Float.BYTES));
              problem.fillGradient(one.get(i), numbers);
              assertEquals(1, partial.step(one.get(i)).updatedParameters());
              problem.fillGradient(other.get(i), same);
            }
            whole.step();
          }
          assertNull(Problem.difference(Problem.bits(whole, other), Problem.bits(partial, one)));
        }
      }
    }
  }

  @Test
  void hooksReportsAndCountersSeeEachStep() {
    try (Parameters parameters = Parameters.builder().add("a", 3).add("b", 5).build();
        Optimizer optimizer = AdamW.builder(parameters).build()) {
      Parameter a = parameters.get("a");
      Parameter b = parameters.get("b");
      List<String> calls = new ArrayList<>();
      optimizer.addStepPreHook(o -> calls.add("before " + o.stepCount(a) + o.stepCount(b)));
      optimizer.addStepPostHook(o -> calls.add("after " + o.report().updatedParameters()));
      long before = Metrics.snapshot().steps();
      optimizer.step(b);
      optimizer.step(b, a);
      a.removeGradient();
      optimizer.step(a);
      optimizer.step(a, b);
      assertEquals(
          List.of(
              "before 00",
              "after 1",
              "before 01",
              "after 2",
              "before 12",
              "after 0",
              "before 12",
              "after 1"),
          calls);
      assertEquals(before + 4, Metrics.snapshot().steps());
      assertEquals("StepReport[1 parameters]", optimizer.report().toString());
      assertEquals(1, optimizer.stepCount(a));
      assertEquals(3, optimizer.stepCount(b));
    }
  }

  @Test
  void aStepOfSomeParametersPublishesNothing() {
    for (Backend backend : Problem.backends()) {
      try (Parameters parameters = Parameters.builder().add("a", 3).add("b", 5000).build();
          Optimizer optimizer = Sgd.builder(parameters).backend(backend).publish().build()) {
        Parameter a = parameters.get("a");
        Parameter b = parameters.get("b");
        a.gradient().fill((byte) 0x3f);
        b.gradient().fill((byte) 0x3f);
        optimizer.step();
        byte[] published = optimizer.publication().read(p -> p.data("a").toArray(JAVA_BYTE));
        optimizer.step(a);
        optimizer.step(b);
        assertEquals(1, optimizer.publication().step());
        assertEquals(2, optimizer.publication().published());
        assertArrayEquals(
            published, optimizer.publication().<byte[]>read(p -> p.data("a").toArray(JAVA_BYTE)));
        optimizer.refreshPublication();
        assertPublished(optimizer, parameters, 2);
        // The whole step also publishes `b`, which its plan does not write.
        b.removeGradient();
        optimizer.step(a);
        optimizer.step();
        assertPublished(optimizer, parameters, 4);
      }
    }
  }

  private static void assertPublished(Optimizer optimizer, Parameters parameters, long step) {
    assertEquals(step, optimizer.publication().step());
    for (Parameter each : parameters) {
      long difference = optimizer.publication().<Long>read(p -> p.data(each).mismatch(each.data()));
      assertEquals(-1, difference, each.name());
    }
  }

  /// One allocation takes less memory than one for each parameter.
  @Test
  void statesOfAllParametersWithAGradientAreAllocatedTogether() {
    long bytes = 1024 * Float.BYTES;
    try (Parameters parameters = Parameters.builder().add("a", 1024).add("b", 1024).build();
        Optimizer optimizer = Adam.builder(parameters).build()) {
      Parameter a = parameters.get("a");
      Parameter b = parameters.get("b");
      optimizer.step(b);
      assertTrue(optimizer.state(a).isEmpty());
      assertEquals(0, optimizer.stateDict().parameters().get("a").steps());
      optimizer.step(a);
      optimizer
          .state(a)
          .forEach(
              (name, state) ->
                  assertEquals(
                      state.address() + bytes, optimizer.state(b).get(name).address(), name));
    }
  }

  /// States are allocated only for parameters whose data this thread can read.
  @Test
  void deadDataOfOtherParametersDoNotMatter() {
    Arena arena = Arena.ofShared();
    Parameter dead = Parameter.of("dead", 4, arena.allocate(16, 4), arena.allocate(16, 4));
    try (Parameters parameters = Parameters.builder().add("p", 3).build();
        Optimizer optimizer =
            Adam.builder(List.of(dead, parameters.get("p")))
                .halfPrecisionCopy(HalfPrecision.FLOAT16)
                .build()) {
      arena.close();
      assertEquals(1, optimizer.step(parameters.get("p")).updatedParameters());
      assertEquals(1, optimizer.step(parameters.get("p")).updatedParameters());
    }
  }

  @Test
  void processesCountTheStepsOfEachParameter(@TempDir Path folder) {
    Path file = folder.resolve("states");
    try (Parameters parameters = Parameters.builder().add("a", 3).add("b", 5).build();
        Optimizer one = NAdam.builder(parameters).sharedStates(file).build();
        Optimizer other = NAdam.builder(parameters).sharedStates(file).build();
        Parameters copies = Parameters.builder().add("a", 3).add("b", 5).build();
        Optimizer alone = NAdam.builder(copies).build()) {
      for (String name : List.of("a", "b", "a", "a")) {
        for (Parameters each : List.of(parameters, copies)) {
          each.get(name).gradient().setAtIndex(JAVA_FLOAT, 0, 0.5f);
        }
        one.step(parameters.get(name));
        other.step(parameters.get(name));
        alone.step(copies.get(name));
        alone.step(copies.get(name));
      }
      assertEquals(6, one.stepCount(parameters.get("a")));
      assertEquals(2, other.stepCount(parameters.get("b")));
      assertNull(
          Problem.difference(
              Problem.bits(alone, copies.all()), Problem.bits(other, parameters.all())));
    }
  }

  @Test
  void anEvictedPlanIsMadeAnew() {
    // Each order of parameters has a separate plan. The nine plans have 15 parameters in all, but
    // only plans of 12 are kept.
    try (Parameters parameters = Parameters.builder().add("a", 3).add("b", 5).add("c", 2).build();
        Optimizer optimizer = Sgd.builder(parameters).backend(Backends.auto()).build()) {
      List<Parameter> all = parameters.all();
      for (int i = 0; i < 200; i++) {
        Parameter[] order = {all.get(i % 3), all.get((i + 1 + i / 3 % 2) % 3)};
        assertEquals(2, optimizer.step(order).updatedParameters());
        assertEquals(1, optimizer.step(all.get(i % 3)).updatedParameters());
      }
      long steps = all.stream().mapToLong(optimizer::stepCount).sum();
      assertEquals(600, steps);
    }
  }
}
