package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Hyperparameter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Hooks can be added and removed at any time and may read; forbidden actions are rejected.
class HooksTest {
  private final Parameters parameters = Parameters.builder().add("a", 3).add("b", 70_000).build();
  private final Optimizer optimizer = AdamW.builder(List.of(parameters.get("a"))).publish().build();
  private final List<String> calls = new ArrayList<>();

  /// The two moments at which hooks are called.
  private static final List<BiFunction<Optimizer, Consumer<Optimizer>, Runnable>> MOMENTS =
      List.of(Optimizer::addStepPreHook, Optimizer::addStepPostHook);

  @AfterEach
  void close() {
    optimizer.close();
    parameters.close();
  }

  @Test
  void aHookThatRemovesItselfDoesNotSkipTheNextOne() {
    for (var moment : MOMENTS) {
      calls.clear();
      Runnable[] first = new Runnable[1];
      first[0] =
          moment.apply(
              optimizer,
              o -> {
                calls.add("first");
                first[0].run();
              });
      Runnable second = moment.apply(optimizer, o -> calls.add("second"));
      optimizer.step();
      optimizer.step();
      second.run();
      optimizer.step();
      assertEquals(List.of("first", "second", "second"), calls);
    }
  }

  @Test
  void aHookRemovedByAnEarlierHookStopsAtTheNextStep() {
    Runnable[] later = new Runnable[1];
    optimizer.addStepPostHook(o -> later[0].run());
    later[0] = optimizer.addStepPostHook(o -> calls.add("later"));
    optimizer.step();
    optimizer.step();
    assertEquals(List.of("later"), calls);
  }

  @Test
  void removingTwiceRemovesNoOtherRegistrationOfTheSameHook() {
    for (var moment : MOMENTS) {
      calls.clear();
      Consumer<Optimizer> hook = o -> calls.add("hook");
      Runnable first = moment.apply(optimizer, hook);
      Runnable second = moment.apply(optimizer, hook);
      first.run();
      first.run();
      optimizer.step();
      assertEquals(List.of("hook"), calls);
      second.run();
      second.run();
      optimizer.step();
      assertEquals(List.of("hook"), calls);
    }
  }

  @Test
  void aHookAddedByAHookRunsFromTheNextStep() {
    Runnable[] adding = new Runnable[1];
    adding[0] =
        optimizer.addStepPostHook(
            o -> {
              adding[0].run();
              o.addStepPostHook(again -> calls.add("added"));
            });
    optimizer.step();
    assertEquals(List.of(), calls);
    optimizer.step();
    assertEquals(List.of("added"), calls);
  }

  @Test
  void afterAHookThatThrowsTheNextStepRuns() {
    for (var moment : MOMENTS) {
      Runnable throwing =
          moment.apply(
              optimizer,
              o -> {
                throw new UnsupportedOperationException("by a hook");
              });
      assertThrows(UnsupportedOperationException.class, optimizer::step);
      throwing.run();
      optimizer.step();
    }
    // The first step failed before the update, the second one after it.
    assertEquals(3, optimizer.stepCount(parameters.get("a")));
  }

  @Test
  void hooksMayReadInEveryWay() {
    Parameter a = parameters.get("a");
    for (var moment : MOMENTS) {
      moment.apply(
          optimizer,
          o -> {
            o.await();
            long steps = o.stateDict().parameters().get("a").steps();
            assertEquals(o.stepCount(a), steps);
            // A checkpoint is saved in this way, and the action may read again.
            long again = o.withStateDict(live -> o.stateDict().parameters().get("a").steps());
            assertEquals(steps, again);
            assertTrue(o.differences(o.stateDict(), Map.of()).isEmpty());
            assertEquals(3, o.publication().read(p -> p.data("a")).byteSize() / Float.BYTES);
            o.paramGroups().getFirst().set(Hyperparameter.LEARNING_RATE, 0.5);
            o.options().zeroGrad(true);
            calls.add("read at " + steps);
          });
    }
    optimizer.step();
    optimizer.step();
    assertEquals(List.of("read at 0", "read at 1", "read at 1", "read at 2"), calls);
  }

  /// All actions that would change or free what the step uses.
  private Map<String, Consumer<Optimizer>> forbidden() {
    StateDict state = optimizer.stateDict();
    Map<String, Consumer<Optimizer>> all = new LinkedHashMap<>();
    all.put("step", Optimizer::step);
    all.put("step with a closure", o -> o.step(() -> 1));
    all.put("step of some parameters", o -> o.step(parameters.get("a")));
    all.put("close", Optimizer::close);
    all.put("close in time", o -> o.close(java.time.Duration.ZERO));
    all.put("load", o -> o.loadStateDict(state));
    all.put("add a group", o -> o.addParamGroup(List.of(parameters.get("b")), Map.of()));
    all.put("refresh copies", Optimizer::refreshHalfPrecisionCopies);
    all.put("refresh the publication", Optimizer::refreshPublication);
    return all;
  }

  @Test
  void forbiddenCallsFromHooksAreRejected() {
    for (var moment : MOMENTS) {
      for (var each : forbidden().entrySet()) {
        Runnable remove = moment.apply(optimizer, each.getValue());
        var e = assertThrows(IllegalStateException.class, optimizer::step, each.getKey());
        assertTrue(e.getMessage().contains("by one of its own hooks"), e.getMessage());
        remove.run();
        optimizer.step();
      }
    }
  }

  @Test
  void forbiddenCallsFromWithStateDictAreRejected() {
    for (var each : forbidden().entrySet()) {
      var e =
          assertThrows(
              IllegalStateException.class,
              () ->
                  optimizer.withStateDict(
                      live -> {
                        each.getValue().accept(optimizer);
                        return null;
                      }),
              each.getKey());
      assertTrue(e.getMessage().contains("by an action that withStateDict runs"), e.getMessage());
    }
    optimizer.step();
  }
}
