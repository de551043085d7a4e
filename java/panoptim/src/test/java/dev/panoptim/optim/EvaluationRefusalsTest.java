package dev.panoptim.optim;

import static dev.panoptim.Illegal.assertSays;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.Illegal;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

/// What is refused around the mode of schedule-free parameters changes nothing.
class EvaluationRefusalsTest {
  private static final int SIZE = 33;

  private static void refused(String words, Runnable action) {
    Illegal.assertSays(IllegalStateException.class, words, action);
  }

  private static Parameters parameters() {
    Parameters parameters = Parameters.builder().add("a", SIZE).add("b", SIZE).build();
    for (Parameter each : parameters) {
      GoldenTest.fill(each.data(), 1, false);
      GoldenTest.fill(each.gradient(), 2, true);
    }
    return parameters;
  }

  private static float[] floats(Parameter parameter) {
    return parameter.data().toArray(JAVA_FLOAT);
  }

  @Test
  void noStepIsMadeDuringAnEvaluation() {
    try (Parameters parameters = parameters();
        Optimizer optimizer =
            Optimizer.builder()
                .group(ScheduleFreeSgd.builder(List.of(parameters.get("a"))))
                .group(AdamW.builder(List.of(parameters.get("b"))))
                .build()) {
      int[] hooks = {0};
      optimizer.step();
      optimizer.addStepPreHook(any -> hooks[0]++);
      optimizer.eval();
      float[] a = floats(parameters.get("a"));
      float[] b = floats(parameters.get("b"));
      refused("call train()", optimizer::step);
      refused("call train()", () -> optimizer.step(parameters.get("a")));
      refused("call train()", () -> optimizer.step(parameters.get("b")));
      refused("call train()", () -> optimizer.step(() -> 1));
      assertArrayEquals(a, floats(parameters.get("a")));
      assertArrayEquals(b, floats(parameters.get("b")));
      assertEquals(0, hooks[0]);
      assertEquals(1, optimizer.stepCount(parameters.get("b")));
      optimizer.train();
      optimizer.step();
      optimizer.step(parameters.get("a"));
      assertEquals(2, hooks[0]);
    }
  }

  @Test
  void withoutMomentumThereIsNoAverage() {
    try (Parameters parameters = parameters();
        Optimizer optimizer =
            ScheduleFreeSgd.builder(List.of(parameters.get("a")))
                .group(List.of(parameters.get("b")), Map.of(Hyperparameter.BETA1, 0.0))
                .build()) {
      optimizer.step();
      float[] a = floats(parameters.get("a"));
      refused("beta1 of group 1 is 0", optimizer::eval);
      assertTrue(optimizer.isTraining());
      assertArrayEquals(a, floats(parameters.get("a")));
      optimizer.train();
      optimizer.step();
    }
  }

  @Test
  void hooksAndReadersCannotChangeTheMode() {
    try (Parameters parameters = parameters();
        Optimizer optimizer = ScheduleFreeSgd.builder(parameters).build()) {
      Runnable removed = optimizer.addStepPostHook(Optimizer::eval);
      refused("hook", optimizer::step);
      removed.run();
      assertTrue(optimizer.isTraining());
      refused(
          "",
          () ->
              optimizer.withStateDict(
                  state -> {
                    optimizer.eval();
                    return null;
                  }));
      assertTrue(optimizer.isTraining());
    }
  }

  @Test
  void aClosedOptimizerHasNoModes() {
    try (Parameters parameters = parameters()) {
      Optimizer optimizer = ScheduleFreeSgd.builder(parameters).build();
      optimizer.step();
      optimizer.close();
      refused("closed", optimizer::eval);
      refused("closed", optimizer::train);
    }
  }

  @Test
  void closedAndConfinedMemoryIsFoundBeforeTheFirstChange() throws Exception {
    Arena arena = Arena.ofShared();
    try (Parameters parameters = parameters();
        Arena confined = Arena.ofConfined()) {
      Parameter dying = Parameter.of("dying", SIZE, arena.allocate(SIZE * 4, 4));
      Parameter own = Parameter.of("own", SIZE, confined.allocate(SIZE * 4, 4));
      dying.setGradient(parameters.get("b").gradient());
      own.setGradient(parameters.get("b").gradient());
      Parameter a = parameters.get("a");
      try (Optimizer optimizer = ScheduleFreeSgd.builder(List.of(a, own)).build()) {
        optimizer.step();
        float[] before = floats(a);
        var future = CompletableFuture.runAsync(optimizer::eval);
        Throwable thrown = assertThrows(ExecutionException.class, future::get).getCause();
        assertEquals(WrongThreadException.class, thrown.getClass(), thrown::toString);
        assertTrue(optimizer.isTraining());
        assertArrayEquals(before, floats(a));
      }
      try (Optimizer optimizer = ScheduleFreeSgd.builder(List.of(a, dying)).build()) {
        optimizer.step();
        float[] before = floats(a);
        arena.close();
        refused("data of 'dying'", optimizer::eval);
        assertTrue(optimizer.isTraining());
        assertArrayEquals(before, floats(a));
      }
    }
  }

  @Test
  void aModeMustBeKnown() {
    try (Parameters parameters = parameters();
        Optimizer optimizer = ScheduleFreeSgd.builder(parameters).build()) {
      optimizer.step();
      StateDict state = optimizer.stateDict();
      for (double mode : new double[] {0.5, -1, Double.NaN}) {
        StateDict.ParameterState a = state.parameters().get("a");
        Map<String, Double> scalars = new LinkedHashMap<>(a.scalars());
        scalars.put(Rule.EVALUATION, mode);
        StateDict changed =
            new StateDict(
                Map.of(
                    "a",
                    new StateDict.ParameterState(
                        a.rule(), SIZE, a.steps(), scalars, a.hyperparameters(), a.states()),
                    "b",
                    state.parameters().get("b")));
        assertSays("'a' has the evaluation " + mode, () -> optimizer.loadStateDict(changed));
      }
      assertTrue(optimizer.isTraining());
    }
  }

  @Test
  void loadingSetsTheMode() {
    try (Parameters parameters = parameters();
        Optimizer optimizer = ScheduleFreeSgd.builder(parameters).build()) {
      optimizer.step();
      StateDict training = optimizer.stateDict();
      MemorySegment a = parameters.get("a").data();
      float[] y = a.toArray(JAVA_FLOAT);
      optimizer.eval();
      StateDict evaluation = optimizer.stateDict();
      float[] x = a.toArray(JAVA_FLOAT);
      optimizer.loadStateDict(training);
      assertTrue(optimizer.isTraining());
      assertArrayEquals(x, a.toArray(JAVA_FLOAT));
      a.copyFrom(MemorySegment.ofArray(y));
      optimizer.step();
      optimizer.loadStateDict(evaluation);
      assertFalse(optimizer.isTraining());
    }
  }
}
