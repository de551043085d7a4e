package dev.panoptim.internal.step;

import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Which plans of some parameters are kept.
class PartialPlansTest {
  private static final Hyperparameters VALUES =
      new Hyperparameters(Rule.builder().build(), Map.of(Hyperparameter.LEARNING_RATE, 0.1));

  private final Parameters memory =
      Parameters.builder().add("a", 3).add("b", 5).add("c", 2).add("d", 2).build();
  private final List<Parameter> all = memory.all();
  private final Engine engine = Engine.of(Backends.scalar());
  private final TrackedParameters tracked = new TrackedParameters(engine);
  private final StateMemory states =
      new StateMemory(new MemoryFormat(Device.cpu(), Device.cpu(), false, null));
  private final PartialPlans plans =
      new PartialPlans(engine, new PlanMaker(engine, 1, states, tracked), states, tracked);

  PartialPlansTest() {
    tracked.add(List.of(new TrackedGroup(all, VALUES)), parameters -> {});
  }

  @AfterEach
  void close() {
    memory.close();
  }

  private GroupPlans of(int... places) {
    Parameter[] chosen = new Parameter[places.length];
    for (int i = 0; i < places.length; i++) {
      chosen[i] = all.get(places[i]);
    }
    return plans.of(chosen);
  }

  @Test
  void theSameParametersInTheSameOrderKeepTheirPlans() {
    GroupPlans ab = of(0, 1);
    GroupPlans ba = of(1, 0);
    assertNotSame(ab, ba);
    assertSame(ab, of(0, 1));
    assertSame(ba, of(1, 0));
    plans.drop();
    assertNotSame(ab, of(0, 1));
  }

  @Test
  void anArrayThatTheCallerChangesAfterwardsDoesNotMatter() {
    Parameter[] chosen = {all.get(0), all.get(1)};
    GroupPlans ab = plans.of(chosen);
    chosen[0] = all.get(2);
    GroupPlans cb = plans.of(chosen);
    assertNotSame(ab, cb);
    assertSame(ab, of(0, 1));
    assertSame(cb, of(2, 1));
  }

  /// Four for each of the optimizer's four parameters.
  @Test
  void plansOfSixteenParametersAreKept() {
    List<GroupPlans> made = new ArrayList<>();
    int[][] choices = {{0, 1, 2, 3}, {1, 2, 3, 0}, {2, 3, 0, 1}, {0}, {1}, {2}, {3}};
    for (int[] each : choices) {
      made.add(of(each));
    }
    for (int i = 0; i < choices.length; i++) {
      assertSame(made.get(i), of(choices[i]));
    }
    // The new plans replace the plans whose last use is longest ago: those of choices[0].
    of(0, 1);
    assertNotSame(made.getFirst(), of(choices[0]));
    // The new plans of choices[0] have replaced the plans of choices[1], but no later ones.
    for (int i = choices.length - 1; i > 1; i--) {
      assertSame(made.get(i), of(choices[i]));
    }
    assertNotSame(made.get(1), of(choices[1]));
  }
}
