package dev.panoptim.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Sgd;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.schedule.ReduceOnPlateau.Mode;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A [SchedulerState] continues every schedule with the same bits. A state that does not fit is
/// rejected with all differences.
class SchedulerStateTest extends SchedulerFixture {
  /// Only the schedule, the optimizer's state dict and the scheduler's state are taken over.
  @ParameterizedTest
  @MethodSource("cases")
  void everyScheduleContinuesWithTheSameBits(String name) {
    for (boolean recurrent : List.of(false, true)) {
      for (int interruption : List.of(0, 1, 503, 1234)) {
        assertContinues(drivenBy(name, recurrent), this::twoGroups, interruption, name);
        assertContinues(drivenBy(name, recurrent), this::threeGroups, interruption, name);
      }
    }
  }

  @Test
  void plateausContinueWithTheSameBits() {
    UnaryOperator<Scheduler.Builder> driven =
        builder ->
            builder
                .drive(
                    RATE,
                    ReduceOnPlateau.builder()
                        .mode(Mode.MAX)
                        .factor(0.7)
                        .patience(2)
                        .cooldown(5)
                        .build())
                .drive(MOMENTUM, Schedules.cosineAnnealing(300, 0.1));
    for (int interruption = 0; interruption < 40; interruption++) {
      assertContinues(driven, this::twoGroups, interruption, "plateau");
      assertContinues(driven, this::threeGroups, interruption, "plateau");
    }
  }

  private static double metric(long step) {
    return Math.sqrt(step) + step * 37 % 11;
  }

  private void assertContinues(
      UnaryOperator<Scheduler.Builder> driven,
      Supplier<Optimizer> other,
      int interruption,
      String what) {
    Optimizer optimizer = twoGroups();
    Scheduler scheduler = driven.apply(Scheduler.builder(optimizer)).build();
    for (int i = 1; i <= interruption; i++) {
      scheduler.step(metric(i));
    }
    SchedulerState state = scheduler.state();

    Optimizer second = other.get();
    Scheduler continued = driven.apply(Scheduler.builder(second)).build();
    second.loadStateDict(optimizer.stateDict());
    assertEquals(List.of(), continued.differences(state, Map.of()));
    continued.load(state, Map.of());
    assertEquals(interruption, continued.position());
    for (int i = interruption; i < interruption + 30; i++) {
      for (String name : List.of("a", "b", "c")) {
        for (Hyperparameter each : List.of(RATE, MOMENTUM)) {
          assertBits(
              group(optimizer, name).get(each),
              group(second, name).get(each),
              what + " at step " + i + ", interrupted at " + interruption);
        }
      }
      scheduler.step(metric(i + 1));
      continued.step(metric(i + 1));
    }
  }

  @Test
  void withoutRecurrenceTheStateAloneBringsTheValueBack() {
    Optimizer optimizer = twoGroups();
    UnaryOperator<Scheduler.Builder> driven = drivenBy("cosine", false);
    Scheduler scheduler = driven.apply(Scheduler.builder(optimizer)).build();
    for (int i = 0; i < 77; i++) {
      scheduler.step();
    }
    Optimizer second = threeGroups();
    driven.apply(Scheduler.builder(second)).build().load(scheduler.state(), Map.of());
    assertBits(group(optimizer, "a").get(RATE), group(second, "a").get(RATE), "a");
    assertBits(group(optimizer, "c").get(RATE), group(second, "c").get(RATE), "c");
  }

  @Test
  void withRecurrenceLoadingTouchesNoGroup() {
    Scheduler scheduler =
        drivenBy("exponential", true).apply(Scheduler.builder(twoGroups())).build();
    scheduler.step();
    Optimizer second = threeGroups();
    Scheduler continued = drivenBy("exponential", true).apply(Scheduler.builder(second)).build();
    group(second, "a").set(RATE, 0.123);
    continued.load(scheduler.state(), Map.of());
    assertEquals(0.123, group(second, "a").get(RATE));
  }

  @Test
  void parametersMayHaveOtherNames() {
    Optimizer optimizer = twoGroups();
    UnaryOperator<Scheduler.Builder> driven = drivenBy("step", false);
    Scheduler scheduler = driven.apply(Scheduler.builder(optimizer)).build();
    scheduler.step();
    SchedulerState state = scheduler.state();
    Parameters renamed = closing(Parameters.builder().add("x", 3).add("b", 2).add("a", 1).build());
    Optimizer second = closing(Sgd.builder(List.of(renamed.get("x"))).build());
    second.addParamGroup(List.of(renamed.get("b")), Map.of());
    second.addParamGroup(List.of(renamed.get("a")), Map.of());
    Scheduler continued = driven.apply(Scheduler.builder(second)).build();
    Map<String, String> renaming = Map.of("a", "x", "c", "a");
    assertEquals(List.of(), continued.differences(state, renaming));
    continued.load(state, renaming);
    assertEquals(0.1, group(second, "x").get(RATE));
    assertEquals(0.1, group(second, "b").get(RATE));
    assertEquals(0.4, group(second, "a").get(RATE));

    assertEquals(
        List.of("renaming names 'z', which the state does not have"),
        scheduler.differences(state, Map.of("z", "y")));
  }

  @Test
  void twoParametersCannotTakeOneName() {
    Optimizer optimizer = twoGroups();
    Scheduler scheduler =
        Scheduler.builder(optimizer)
            .drive(group(optimizer, "a"), RATE, Schedules.constant())
            .drive(group(optimizer, "c"), RATE, Schedules.constant())
            .build();
    SchedulerState state = scheduler.state();
    for (String old : List.of("a", "c")) {
      assertEquals(
          List.of(
              "renaming gives two parameters the name 'b'",
              "the state does not drive learningRate of '" + old + "'"),
          scheduler.differences(state, Map.of(old, "b")));
    }
  }

  @Test
  void everythingThatDiffersIsListed() {
    Optimizer optimizer = twoGroups();
    Scheduler scheduler =
        Scheduler.builder(optimizer)
            .drive(group(optimizer, "a"), RATE, Schedules.step(30, 0.9))
            .drive(MOMENTUM, ReduceOnPlateau.builder().build())
            .recurrent(true)
            .build();
    scheduler.step(1);
    SchedulerState before = scheduler.state();
    SchedulerState other =
        new SchedulerState(
            5,
            false,
            List.of(
                new SchedulerState.Drive(
                    RATE,
                    "step(stepSize=31, gamma=0.9)",
                    Map.of("a", 0.1),
                    Map.of("best", 1.0),
                    Map.of()),
                new SchedulerState.Drive(
                    RATE, "step(stepSize=30, gamma=0.9)", Map.of("b", -0.2), Map.of(), Map.of()),
                new SchedulerState.Drive(
                    Hyperparameter.DAMPENING, "constant()", Map.of("a", 0.0), Map.of(), Map.of())));
    List<String> expected =
        List.of(
            "the state is not recurrent, but the scheduler is",
            "the state drives learningRate of 'a' by step(stepSize=31, gamma=0.9), but the"
                + " scheduler by step(stepSize=30, gamma=0.9)",
            "learningRate of 'a' has the state of a plateau, but the scheduler drives it by a"
                + " schedule",
            "learningRate of 'b' was initially -0.2, but 0.1 for another parameter of its group",
            "learningRate of 'b' has a different plateau state than 'a'",
            "initially, learningRate is -0.2, but must be a number from 0 to 3.4028235E38",
            "the state does not drive momentum of 'a'",
            "the state does not drive momentum of 'b'",
            "the state does not drive momentum of 'c'",
            "the scheduler does not drive dampening of 'a'");
    assertEquals(expected, scheduler.differences(other, Map.of()));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> scheduler.load(other, Map.of()));
    assertEquals(
        "the scheduler's state does not fit: " + String.join("; ", expected), e.getMessage());
    assertEquals(before, scheduler.state());
    assertEquals(0.1, group(optimizer, "a").get(RATE));
  }

  @Test
  void theStateOfAPlateauIsChecked() {
    Optimizer optimizer = twoGroups();
    ReduceOnPlateau plateau = ReduceOnPlateau.builder().build();
    Scheduler scheduler = Scheduler.builder(optimizer).drive(RATE, plateau).build();
    SchedulerState.Drive good = scheduler.state().drives().getFirst();
    assertEquals(
        List.of(
            "learningRate of 'a' has NaN as the best metric, but must have a number",
            "learningRate of 'a' has -1 badSteps, but it must be 0 or more"),
        scheduler.differences(
            with(good, Map.of("best", Double.NaN), Map.of("badSteps", -1L, "cooldownLeft", 0L)),
            Map.of()));
    assertFalse(scheduler.differences(with(good, Map.of(), good.longs()), Map.of()).isEmpty());
    assertFalse(scheduler.differences(with(good, good.doubles(), Map.of()), Map.of()).isEmpty());
    assertThrows(
        IllegalArgumentException.class, () -> new SchedulerState(-1, false, List.of(good)));
  }

  private static SchedulerState with(
      SchedulerState.Drive drive, Map<String, Double> doubles, Map<String, Long> longs) {
    return new SchedulerState(
        1,
        false,
        List.of(
            new SchedulerState.Drive(
                drive.hyperparameter(), drive.schedule(), drive.initial(), doubles, longs)));
  }

  @Test
  void aDriveIsSavedOnlyOnce() {
    Optimizer optimizer = twoGroups();
    Scheduler scheduler = Scheduler.builder(optimizer).drive(RATE, Schedules.constant()).build();
    SchedulerState.Drive drive = scheduler.state().drives().getFirst();
    assertTrue(
        scheduler
            .differences(new SchedulerState(0, false, List.of(drive, drive)), Map.of())
            .contains("the state drives learningRate of 'a' twice"));
  }

  @Test
  void aValueThatCannotBeSetLeavesTheStateUnloaded() {
    Optimizer optimizer = twoGroups();
    Scheduler scheduler =
        Scheduler.builder(optimizer)
            .drive(RATE, Schedules.exponential(0.5))
            .drive(MOMENTUM, Schedules.lambda("grows", step -> 1 + step))
            .build();
    SchedulerState.Drive[] drives = scheduler.state().drives().toArray(SchedulerState.Drive[]::new);
    SchedulerState later = new SchedulerState(7, false, List.of(drives));
    SchedulerState before = scheduler.state();
    assertThrows(IllegalArgumentException.class, () -> scheduler.load(later, Map.of()));
    assertEquals(before, scheduler.state());
    assertEquals(0.1, group(optimizer, "a").get(RATE));
  }

  @Test
  void aStateIsASnapshot() {
    Optimizer optimizer = twoGroups();
    Scheduler scheduler =
        Scheduler.builder(optimizer).drive(RATE, ReduceOnPlateau.builder().build()).build();
    SchedulerState first = scheduler.state();
    scheduler.step(1);
    assertNotEquals(first, scheduler.state());
    assertEquals(0, first.position());
    assertEquals(List.of("a", "b", "c"), List.copyOf(first.drives().getFirst().initial().keySet()));
  }
}
