package dev.panoptim.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Values of schedules that are known without PyTorch, and illegal arguments.
class SchedulesTest {
  private static void assertBits(double expected, double found, String what) {
    assertEquals(Double.doubleToRawLongBits(expected), Double.doubleToRawLongBits(found), what);
  }

  @Test
  void constantStays() {
    assertEquals(0.3, Schedules.constant().at(1000, 0.3));
    assertEquals(0.2, Schedules.constant().next(1000, 0.2, 0.3));
  }

  @Test
  void descriptionsTellSchedulesApart() {
    Map<String, Schedule> cases = ScheduleCases.all();
    Set<String> descriptions = new HashSet<>();
    cases.values().forEach(each -> descriptions.add(each.toString()));
    assertEquals(cases.size(), descriptions.size());
  }

  @Test
  void descriptionsAreTheSameInEveryLocale() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      assertEquals(
          "sequential([linear(startFactor=0.2, endFactor=1.0, totalIters=4),"
              + " cosineAnnealing(tMax=10, etaMin=1.0E-5)], milestones=[4])",
          Schedules.warmupThen(4, Schedules.cosineAnnealing(10, 1e-5)).toString());
      assertEquals(
          "oneCycle(start=0.004, peak=0.1, end=4.0E-7, totalSteps=100, pctStart=0.3,"
              + " annealing=COSINE, threePhase=false)",
          Schedules.oneCycle(0.1, 100).toString());
      assertEquals(
          "reduceOnPlateau(mode=MIN, factor=0.1, patience=10, threshold=1.0E-4,"
              + " thresholdMode=RELATIVE, cooldown=0, minimum=0.0, eps=1.0E-8)",
          ReduceOnPlateau.builder().build().toString());
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void chainedComposesWhatItsSchedulesMake() {
    Schedule first = Schedules.linear(0.1, 1, 10);
    Schedule second = Schedules.cosineAnnealing(20, 0.001);
    Schedule third = Schedules.exponential(0.99);
    Schedule chained = Schedules.chained(first, second, third);
    for (int step = 0; step < 50; step++) {
      double expected = third.at(step, second.at(step, first.at(step, 0.3)));
      assertBits(expected, chained.at(step, 0.3), "step " + step);
    }
  }

  @Test
  void sequentialShiftsTheStep() {
    Schedule first = Schedules.step(3, 0.5);
    Schedule second = Schedules.polynomial(9, 2);
    Schedule third = Schedules.warmRestarts(5, 1, 0.01);
    Schedule sequential = Schedules.sequential(List.of(first, second, third), List.of(10L, 25L));
    for (int step = 0; step < 60; step++) {
      double expected =
          step < 10
              ? first.at(step, 0.3)
              : step < 25 ? second.at(step - 10, 0.3) : third.at(step - 25, 0.3);
      assertBits(expected, sequential.at(step, 0.3), "step " + step);
    }
  }

  @Test
  void schedulesOfSchedulesKeepToTheirMilestones() {
    Schedule inner =
        Schedules.sequential(
            List.of(Schedules.step(2, 0.5), Schedules.linear(0.25, 1, 3)), List.of(5L));
    Schedule outer =
        Schedules.sequential(
            List.of(inner, Schedules.chained(inner, Schedules.exponential(0.5))), List.of(9L));
    double[] expected = {1, 1, 0.5, 0.5, 0.25, 0.25, 0.5, 0.75, 1, 1, 0.5, 0.125, 0.0625};
    double value = 1;
    for (int step = 0; step < expected.length; step++) {
      assertEquals(expected[step], outer.at(step, 1), "step " + step);
      value = outer.next(step, value, 1);
      if (step < 11) {
        assertEquals(expected[step], value, 1e-15, "recurrence at step " + step);
      }
    }
  }

  @Test
  void warmupRisesByEqualAmountsToTheBeginningOfTheSchedule() {
    Schedule schedule = Schedules.warmupThen(4, Schedules.polynomial(10, 1));
    double[] expected = {0.2, 0.4, 0.6, 0.8, 1, 0.9, 0.8};
    for (int step = 0; step < expected.length; step++) {
      assertEquals(expected[step], schedule.at(step, 1), 1e-15, "step " + step);
    }
    Schedule bare = Schedules.constant();
    assertEquals(bare, Schedules.warmupThen(0, bare));
  }

  @Test
  void theLastValueOfOneCycleStays() {
    for (Annealing annealing : Annealing.values()) {
      for (boolean threePhase : List.of(false, true)) {
        Schedule schedule = Schedules.oneCycle(0.1, 50, 0.3, annealing, 25, 1e4, threePhase);
        assertEquals(4e-7, schedule.at(49, 7), 1e-16);
        assertBits(schedule.at(49, 7), schedule.at(50, 7), "step 50");
        assertBits(schedule.at(49, 7), schedule.at(Long.MAX_VALUE, 7), "much later");
      }
    }
  }

  @Test
  void inverseSquareRootHasItsPeakAtTheEndOfTheWarmup() {
    Schedule schedule = Schedules.inverseSquareRoot(4);
    assertEquals(0.25, schedule.at(0, 1));
    assertEquals(1, schedule.at(3, 1));
    assertEquals(0.5, schedule.at(15, 1));
  }

  @Test
  void warmupStableDecayMayLackAPart() {
    assertEquals(0.1, Schedules.warmupStableDecay(0, 0, 0, DecayShape.LINEAR, 0.1).at(0, 1));
    Schedule stable = Schedules.warmupStableDecay(0, 5, 0, DecayShape.COSINE, 0.1);
    assertEquals(1, stable.at(4, 1));
    assertEquals(0.1, stable.at(5, 1));
    assertEquals(
        1, Schedules.warmupStableDecay(2, 3, Long.MAX_VALUE, DecayShape.LINEAR, 0).at(3, 1));
  }

  @Test
  void recurrencesKeepToTheClosedForm() {
    ScheduleCases.all()
        .forEach(
            (name, schedule) -> {
              // The recurrences of chained schedules differ by definition. The recurrence of a
              // cosine drifts after the cosine has reached 0.
              if (name.startsWith("chained") || name.startsWith("cosine-")) {
                return;
              }
              double value = 0.1;
              for (int step = 0; step < 2000; step++) {
                value = schedule.next(step, value, 0.1);
                double closed = schedule.at(step, 0.1);
                assertEquals(closed, value, 1e-12, name + " at step " + step);
              }
            });
  }

  @Test
  void distantStepsHaveValues() {
    ScheduleCases.all()
        .forEach(
            (name, schedule) -> {
              if (!name.equals("multiplicative")) {
                double value = schedule.at(name.contains("cosine") ? 100_000_000 : 1L << 36, 0.1);
                assertTrue(value >= 0 && value <= 1, name + ": " + value);
              }
            });
    assertTrue(Schedules.warmRestarts(1, Long.MAX_VALUE, 0).at(1L << 40, 1) > 0.9);
    assertThrows(
        IllegalArgumentException.class, () -> Schedules.cosineAnnealing(1, 0).at(1L << 30, 0.1));
  }

  static Stream<Arguments> badArguments() {
    Schedule constant = Schedules.constant();
    return Stream.of(
        bad("factor is 1.5", () -> Schedules.constantFactor(1.5, 5)),
        bad("factor is NaN", () -> Schedules.constantFactor(Double.NaN, 5)),
        bad("totalIters is 0", () -> Schedules.constantFactor(0.5, 0)),
        bad("stepSize is 0", () -> Schedules.step(0, 0.1)),
        bad("gamma is -0.1", () -> Schedules.step(1, -0.1)),
        bad("a milestone is -1", () -> Schedules.multiStep(List.of(3L, -1L), 0.1)),
        bad("gamma is Infinity", () -> Schedules.multiStep(List.of(), Double.POSITIVE_INFINITY)),
        bad("gamma is NaN", () -> Schedules.exponential(Double.NaN)),
        bad("totalIters is -3", () -> Schedules.polynomial(-3, 1)),
        bad("power is -1.0", () -> Schedules.polynomial(3, -1)),
        bad("startFactor is 0.0", () -> Schedules.linear(0, 1, 5)),
        bad("startFactor is 1.1", () -> Schedules.linear(1.1, 1, 5)),
        bad("endFactor is 2.0", () -> Schedules.linear(0.5, 2, 5)),
        bad("totalIters is 0", () -> Schedules.linear(0.5, 1, 0)),
        bad("tMax is 0", () -> Schedules.cosineAnnealing(0, 0)),
        bad("etaMin is -1.0", () -> Schedules.cosineAnnealing(1, -1)),
        bad("t0 is 0", () -> Schedules.warmRestarts(0, 1, 0)),
        bad("tMult is 0", () -> Schedules.warmRestarts(1, 0, 0)),
        bad("etaMin is NaN", () -> Schedules.warmRestarts(1, 1, Double.NaN)),
        bad("maxLr is 0.0", () -> Schedules.oneCycle(0, 10)),
        bad("totalSteps is 0", () -> Schedules.oneCycle(0.1, 0)),
        bad("pctStart is 0.1", () -> oneCycle(10, 0.1, 25, 1e4)),
        bad("pctStart is 1.5", () -> oneCycle(10, 1.5, 25, 1e4)),
        bad("divFactor is 0.0", () -> oneCycle(10, 0.3, 0, 1e4)),
        bad("finalDivFactor is -1.0", () -> oneCycle(10, 0.3, 25, -1)),
        bad(
            "maxMomentum is 1.2",
            () -> Schedules.oneCycleMomentum(0.8, 1.2, 10, 0.3, Annealing.LINEAR, false)),
        bad("baseLr is -1.0", () -> cyclic(-1, 1, 5, 5)),
        bad("maxLr is Infinity", () -> cyclic(0, Double.POSITIVE_INFINITY, 5, 5)),
        bad("stepSizeUp is 0", () -> cyclic(0, 1, 0, 5)),
        bad("stepSizeDown is 0", () -> cyclic(0, 1, 5, 0)),
        bad(
            "baseMomentum is -0.5",
            () -> Schedules.cyclicMomentum(-0.5, 1, 5, 5, CyclicMode.TRIANGULAR, 1)),
        bad("warmupSteps is -1", () -> wsd(-1, 1, 1, 0)),
        bad("stableSteps is -1", () -> wsd(1, -1, 1, 0)),
        bad("decaySteps is -1", () -> wsd(1, 1, -1, 0)),
        bad("minimumFactor is 2.0", () -> wsd(1, 1, 1, 2)),
        bad("warmupSteps is 0", () -> Schedules.inverseSquareRoot(0)),
        bad("warmupSteps is -1", () -> Schedules.warmupThen(-1, constant)),
        bad("the number of schedules is 0", Schedules::chained),
        bad("the number of schedules is 0", () -> Schedules.sequential(List.of(), List.of())),
        bad(
            "the number of milestones is 0, but must be 1",
            () -> Schedules.sequential(List.of(constant, constant), List.of())),
        bad(
            "a milestone is 0, but must be 1",
            () -> Schedules.sequential(List.of(constant, constant), List.of(0L))),
        bad(
            "a milestone is 5, but must be 6",
            () -> Schedules.sequential(List.of(constant, constant, constant), List.of(5L, 5L))),
        bad("factor is 1.0", () -> ReduceOnPlateau.builder().factor(1)),
        bad("patience is -1", () -> ReduceOnPlateau.builder().patience(-1)),
        bad("threshold is NaN", () -> ReduceOnPlateau.builder().threshold(Double.NaN)),
        bad("cooldown is -1", () -> ReduceOnPlateau.builder().cooldown(-1)),
        bad("minimum is -1.0", () -> ReduceOnPlateau.builder().minimum(-1)),
        bad("eps is -1.0", () -> ReduceOnPlateau.builder().eps(-1)));
  }

  private static Schedule oneCycle(long steps, double pctStart, double div, double finalDiv) {
    return Schedules.oneCycle(0.1, steps, pctStart, Annealing.COSINE, div, finalDiv, false);
  }

  private static Schedule cyclic(double base, double max, long up, long down) {
    return Schedules.cyclic(base, max, up, down, CyclicMode.TRIANGULAR, 1);
  }

  private static Schedule wsd(long warmup, long stable, long decay, double minimum) {
    return Schedules.warmupStableDecay(warmup, stable, decay, DecayShape.LINEAR, minimum);
  }

  private static Arguments bad(String message, Executable call) {
    return Arguments.of(message, call);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("badArguments")
  void argumentsOutOfRangeAreNamed(String message, Executable call) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, call);
    assertTrue(e.getMessage().startsWith(message), e.getMessage());
    assertTrue(e.getMessage().contains("must"), e.getMessage());
  }

  @Test
  void nullIsRejected() {
    assertThrows(NullPointerException.class, () -> Schedules.lambda("f", null));
    assertThrows(NullPointerException.class, () -> Schedules.lambda(null, step -> 1));
    assertThrows(NullPointerException.class, () -> Schedules.warmupThen(3, null));
    assertThrows(NullPointerException.class, () -> Schedules.cyclic(0, 1, 5, 5, null, 1));
    assertThrows(NullPointerException.class, () -> Schedules.warmupStableDecay(1, 1, 1, null, 0));
  }

  @Test
  void equalArgumentsMakeEqualSchedules() {
    assertEquals(Schedules.step(3, 0.1), Schedules.step(3, 0.1));
    assertNotEquals(Schedules.step(3, 0.1), Schedules.step(3, 0.2));
  }
}
