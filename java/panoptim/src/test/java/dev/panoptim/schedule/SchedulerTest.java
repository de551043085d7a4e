package dev.panoptim.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.Allocations;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.ParameterGroup;
import dev.panoptim.optim.Sgd;
import dev.panoptim.rule.Hyperparameter;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A [Scheduler] drives the hyperparameters of groups, rejects values out of range, and allocates
/// nothing.
class SchedulerTest extends SchedulerFixture {
  @Test
  void everyGroupIsDrivenFromItsOwnValue() {
    Optimizer optimizer = twoGroups();
    Schedule schedule = Schedules.warmupThen(4, Schedules.cosineAnnealing(10, 0.01));
    Scheduler scheduler = Scheduler.builder(optimizer).drive(RATE, schedule).build();
    for (int step = 0; step < 20; step++) {
      assertEquals(step, scheduler.position());
      assertBits(schedule.at(step, 0.1), group(optimizer, "a").get(RATE), "a at " + step);
      assertBits(schedule.at(step, 0.4), group(optimizer, "c").get(RATE), "c at " + step);
      scheduler.step();
    }
    assertEquals(0.9, group(optimizer, "a").get(MOMENTUM));
  }

  @Test
  void oneGroupCanBeDrivenAlone() {
    Optimizer optimizer = twoGroups();
    Scheduler scheduler =
        Scheduler.builder(optimizer)
            .drive(group(optimizer, "c"), RATE, Schedules.step(2, 0.5))
            .build();
    scheduler.step();
    scheduler.step();
    assertEquals(0.1, group(optimizer, "a").get(RATE));
    assertEquals(0.2, group(optimizer, "c").get(RATE));
  }

  @Test
  void groupsAndHyperparametersHaveSeparateSchedules() {
    Optimizer optimizer = twoGroups();
    Schedule momentum = Schedules.oneCycleMomentum(0.85, 0.95, 20, 0.3, Annealing.COSINE, false);
    Scheduler scheduler =
        Scheduler.builder(optimizer)
            .drive(group(optimizer, "a"), RATE, Schedules.exponential(0.5))
            .drive(group(optimizer, "c"), RATE, Schedules.exponential(0.25))
            .drive(MOMENTUM, momentum)
            .build();
    scheduler.step();
    assertEquals(0.05, group(optimizer, "a").get(RATE));
    assertEquals(0.1, group(optimizer, "c").get(RATE));
    assertBits(momentum.at(1, 0.9), group(optimizer, "a").get(MOMENTUM), "momentum");
    assertBits(momentum.at(1, 0.9), group(optimizer, "c").get(MOMENTUM), "momentum");
  }

  @Test
  void betasAreDrivenToo() {
    Optimizer optimizer = closing(AdamW.builder(parameters).build());
    Scheduler scheduler =
        Scheduler.builder(optimizer)
            .drive(
                Hyperparameter.BETA1,
                Schedules.cyclicMomentum(0.8, 0.9, 4, 4, CyclicMode.TRIANGULAR, 1))
            .build();
    assertEquals(0.9, group(optimizer, "a").get(Hyperparameter.BETA1));
    for (int step = 0; step < 4; step++) {
      scheduler.step();
    }
    assertEquals(0.8, group(optimizer, "a").get(Hyperparameter.BETA1), 1e-15);
  }

  @Test
  void onlyGroupsWhoseRulesHaveTheHyperparameterAreDriven() {
    Optimizer optimizer =
        closing(
            Optimizer.builder()
                .group(AdamW.builder(List.of(parameters.get("a"))))
                .group(Sgd.builder(List.of(parameters.get("b"))).momentum(0.9))
                .build());
    Scheduler scheduler =
        Scheduler.builder(optimizer)
            .drive(Hyperparameter.BETA1, Schedules.exponential(0.5))
            .drive(RATE, Schedules.exponential(0.5))
            .build();
    scheduler.step();
    assertEquals(0.45, group(optimizer, "a").get(Hyperparameter.BETA1));
    assertEquals(0.9, group(optimizer, "b").get(MOMENTUM));
    assertEquals(5e-4, group(optimizer, "a").get(RATE));
    assertEquals(5e-4, group(optimizer, "b").get(RATE));
    Scheduler.Builder builder = Scheduler.builder(optimizer);
    for (Runnable drive :
        List.<Runnable>of(
            () -> builder.drive(Hyperparameter.MOMENTUM_DECAY, Schedules.exponential(0.5)),
            () ->
                builder.drive(Hyperparameter.MOMENTUM_DECAY, ReduceOnPlateau.builder().build()))) {
      var e = assertThrows(IllegalArgumentException.class, drive::run);
      assertTrue(
          e.getMessage().startsWith("momentumDecay is not a hyperparameter of any group"),
          e.getMessage());
    }
    Scheduler again =
        Scheduler.builder(optimizer)
            .drive(Hyperparameter.BETA1, Schedules.exponential(0.5))
            .drive(RATE, Schedules.exponential(0.5))
            .build();
    again.load(scheduler.state());
    assertEquals(1, again.position());
  }

  @Test
  void aGroupThatIsAddedLaterIsNotDriven() {
    Optimizer optimizer = closing(Sgd.builder(List.of(parameters.get("a"))).build());
    Scheduler scheduler =
        Scheduler.builder(optimizer).drive(RATE, Schedules.exponential(0.5)).build();
    optimizer.addParamGroup(List.of(parameters.get("b")), Map.of(RATE, 0.7));
    scheduler.step();
    assertEquals(0.7, group(optimizer, "b").get(RATE));
  }

  @Test
  void aRecurrentSchedulerContinuesFromThePresentValue() {
    Optimizer optimizer = twoGroups();
    Scheduler scheduler =
        Scheduler.builder(optimizer)
            .drive(RATE, Schedules.exponential(0.5))
            .recurrent(true)
            .build();
    group(optimizer, "a").set(RATE, 8);
    scheduler.step();
    assertEquals(4, group(optimizer, "a").get(RATE));
    assertEquals(0.2, group(optimizer, "c").get(RATE));
  }

  @Test
  void initialValuesAreThoseWhenItIsBuilt() {
    Optimizer optimizer = twoGroups();
    Scheduler.Builder builder =
        Scheduler.builder(optimizer).drive(RATE, Schedules.constantFactor(0.5, 10));
    group(optimizer, "a").set(RATE, 2);
    builder.build();
    assertEquals(1, group(optimizer, "a").get(RATE));
  }

  @ParameterizedTest
  @MethodSource("badSchedules")
  void aValueOutOfRangeChangesNothing(Schedule bad) {
    for (boolean recurrent : List.of(false, true)) {
      Optimizer optimizer = twoGroups();
      ReduceOnPlateau impatient = ReduceOnPlateau.builder().patience(0).build();
      Scheduler scheduler =
          Scheduler.builder(optimizer)
              .drive(group(optimizer, "a"), RATE, Schedules.exponential(0.5))
              .drive(group(optimizer, "c"), RATE, impatient)
              .drive(MOMENTUM, bad)
              .recurrent(recurrent)
              .build();
      scheduler.step(1);
      scheduler.step();
      SchedulerState state = scheduler.state();
      List<String> groups = optimizer.paramGroups().stream().map(Object::toString).toList();
      RuntimeException e = assertThrows(RuntimeException.class, () -> scheduler.step(2));
      assertTrue(e.getMessage().contains("step 3"), e.getMessage());
      assertEquals(state, scheduler.state());
      assertEquals(groups, optimizer.paramGroups().stream().map(Object::toString).toList());
    }
  }

  static Stream<Schedule> badSchedules() {
    return Stream.of(
        Schedules.lambda("too large", step -> step < 3 ? 1 : 2),
        Schedules.lambda("negative", step -> step < 3 ? 1 : -1),
        Schedules.lambda("no number", step -> step < 3 ? 1 : Double.NaN),
        Schedules.lambda(
            "throws",
            step -> {
              if (step < 3) {
                return 1;
              }
              throw new IllegalStateException("at step 3");
            }));
  }

  @Test
  void aBadValueAtStep0IsRejectedAtOnce() {
    Optimizer optimizer = twoGroups();
    Scheduler.Builder builder =
        Scheduler.builder(optimizer)
            .drive(RATE, Schedules.exponential(0.5))
            .drive(MOMENTUM, Schedules.lambda("twice", step -> 2));
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, builder::build);
    assertEquals(
        "at step 0 of lambda(twice): momentum is 1.8, but must be a number from 0 to 1",
        e.getMessage());
  }

  /// A momentum of 0 is in its range, but Nesterov momentum does not allow it.
  @Test
  void valuesThatDoNotFitTogetherChangeNothing() {
    Optimizer optimizer =
        closing(Sgd.builder(parameters).learningRate(0.1).momentum(0.9).nesterov(true).build());
    Scheduler scheduler =
        Scheduler.builder(optimizer)
            .drive(RATE, Schedules.exponential(0.5))
            .drive(MOMENTUM, Schedules.linear(1, 0, 1))
            .build();
    assertThrows(IllegalArgumentException.class, scheduler::step);
    assertEquals(0, scheduler.position());
    assertEquals(0.1, group(optimizer, "a").get(RATE));
    assertEquals(0.9, group(optimizer, "a").get(MOMENTUM));
  }

  @Test
  void illegalDrivesAreRejected() {
    Optimizer optimizer = twoGroups();
    Scheduler.Builder builder =
        Scheduler.builder(optimizer).drive(group(optimizer, "a"), RATE, Schedules.exponential(0.5));
    Schedule constant = Schedules.constant();
    ReduceOnPlateau plateau = ReduceOnPlateau.builder().build();
    assertThrows(IllegalArgumentException.class, () -> builder.drive(RATE, constant));
    assertThrows(IllegalArgumentException.class, () -> builder.drive(RATE, plateau));
    assertThrows(
        IllegalArgumentException.class, () -> builder.drive(group(optimizer, "a"), RATE, plateau));
    assertThrows(
        IllegalArgumentException.class, () -> builder.drive(Hyperparameter.BETA1, constant));
    ParameterGroup foreign = group(threeGroups(), "a");
    assertThrows(IllegalArgumentException.class, () -> builder.drive(foreign, MOMENTUM, constant));
    assertThrows(NullPointerException.class, () -> builder.drive(MOMENTUM, (Schedule) null));
    builder.build().step();
    assertEquals(0.05, group(optimizer, "a").get(RATE));
    assertEquals(0.4, group(optimizer, "c").get(RATE));
    assertThrows(IllegalStateException.class, () -> Scheduler.builder(optimizer).build());
  }

  @Test
  void onlyStepsWithAMetricCountForAPlateau() {
    Optimizer optimizer = twoGroups();
    Scheduler scheduler =
        Scheduler.builder(optimizer)
            .drive(RATE, ReduceOnPlateau.builder().factor(0.5).patience(1).build())
            .build();
    scheduler.step(1);
    for (int i = 0; i < 10; i++) {
      scheduler.step();
    }
    scheduler.step(1);
    assertEquals(0.1, group(optimizer, "a").get(RATE));
    scheduler.step(Double.NaN);
    assertEquals(0.05, group(optimizer, "a").get(RATE));
    assertEquals(0.2, group(optimizer, "c").get(RATE));
    assertEquals(13, scheduler.position());
    assertEquals(Map.of("best", 1.0), scheduler.state().drives().getFirst().doubles());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aStepAllocatesNothing(String name) {
    if (name.equals("multiplicative")) {
      return; // The time of its closed form grows with the step.
    }
    for (boolean recurrent : List.of(false, true)) {
      Scheduler scheduler = drivenBy(name, recurrent).apply(Scheduler.builder(twoGroups())).build();
      assertAllocatesNothing(name, scheduler);
    }
  }

  @Test
  void aStepOfAPlateauAllocatesNothing() {
    Scheduler scheduler =
        Scheduler.builder(twoGroups()).drive(RATE, ReduceOnPlateau.builder().build()).build();
    assertAllocatesNothing("plateau", scheduler);
  }

  private static void assertAllocatesNothing(String name, Scheduler scheduler) {
    int[] metric = new int[1];
    Allocations.assertNone(name, 100, () -> scheduler.step(metric[0]++ % 100));
  }
}
