package dev.panoptim.examples.schedules;

import dev.panoptim.schedule.Annealing;
import dev.panoptim.schedule.CyclicMode;
import dev.panoptim.schedule.DecayShape;
import dev.panoptim.schedule.ReduceOnPlateau;
import dev.panoptim.schedule.Schedule;
import dev.panoptim.schedule.Schedules;
import java.util.ArrayList;
import java.util.List;

/// One small chart: a kind of schedule with some of its options.
enum Panel {
  CONSTANT_FACTOR(
      "constant, constantFactor",
      curves()
          .with("constant", Schedules.constant())
          .with("0.3 for 40 steps", Schedules.constantFactor(0.3, 40))),
  STEP("step", curves().with("25, 0.5", Schedules.step(25, 0.5))),
  MULTI_STEP("multiStep", curves().with("30, 60, 60, 80", Schedules.multiStep(milestones(), 0.6))),
  EXPONENTIAL(
      "exponential",
      curves().with("0.97", Schedules.exponential(0.97)).with("0.9", Schedules.exponential(0.9))),
  POLYNOMIAL(
      "polynomial",
      curves()
          .with("power 1", Schedules.polynomial(80, 1))
          .with("power 2", Schedules.polynomial(80, 2))
          .with("power 0.5", Schedules.polynomial(80, 0.5))),
  LINEAR(
      "linear",
      curves()
          .with("0.1 to 1", Schedules.linear(0.1, 1, 40))
          .with("1 to 0.2", Schedules.linear(1, 0.2, 80))),
  COSINE_ANNEALING(
      "cosineAnnealing",
      curves()
          .with("100", Schedules.cosineAnnealing(100, 0))
          .with("40, beyond its end", Schedules.cosineAnnealing(40, 0.2))),
  WARM_RESTARTS(
      "warmRestarts",
      curves()
          .with("each 25", Schedules.warmRestarts(25, 1, 0))
          .with("14, 28, 56", Schedules.warmRestarts(14, 2, 0.1))),
  ONE_CYCLE(
      "oneCycle",
      curves()
          .with("cosine", oneCycle(Annealing.COSINE, false))
          .with("linear", oneCycle(Annealing.LINEAR, false))
          .with("three phases", oneCycle(Annealing.COSINE, true))),
  ONE_CYCLE_MOMENTUM(
      "oneCycleMomentum",
      curves()
          .with("cosine", oneCycleMomentum(Annealing.COSINE, false))
          .with("linear", oneCycleMomentum(Annealing.LINEAR, false))
          .with("three phases", oneCycleMomentum(Annealing.COSINE, true))),
  CYCLIC(
      "cyclic",
      curves()
          .with("triangular", cyclic(CyclicMode.TRIANGULAR))
          .with("triangular2", cyclic(CyclicMode.TRIANGULAR2))
          .with("exp_range, 0.98", cyclic(CyclicMode.EXP_RANGE))),
  CYCLIC_MOMENTUM(
      "cyclicMomentum",
      curves()
          .with("triangular", cyclicMomentum(CyclicMode.TRIANGULAR))
          .with("triangular2", cyclicMomentum(CyclicMode.TRIANGULAR2))
          .with("exp_range, 0.98", cyclicMomentum(CyclicMode.EXP_RANGE))),
  WARMUP_STABLE_DECAY(
      "warmupStableDecay",
      curves()
          .with("linear", warmupStableDecay(DecayShape.LINEAR))
          .with("cosine", warmupStableDecay(DecayShape.COSINE))
          .with("1 - sqrt", warmupStableDecay(DecayShape.ONE_MINUS_SQRT))),
  INVERSE_SQUARE_ROOT(
      "inverseSquareRoot",
      curves()
          .with("warm-up 10", Schedules.inverseSquareRoot(10))
          .with("warm-up 40", Schedules.inverseSquareRoot(40))),
  LAMBDA(
      "lambda",
      curves().with("1 / (1 + step / 20)", Schedules.lambda("hyperbola", s -> 1 / (1 + s / 20.0)))),
  MULTIPLICATIVE(
      "multiplicative",
      curves()
          .with(
              "0.9 at even steps",
              Schedules.multiplicative("at even steps", s -> s % 2 == 0 ? 0.9 : 1))),
  CHAINED(
      "chained",
      curves()
          .with(
              "linear, cosineAnnealing",
              Schedules.chained(Schedules.linear(0.1, 1, 30), Schedules.cosineAnnealing(100, 0)))
          .with(
              "constantFactor, exponential",
              Schedules.chained(Schedules.constantFactor(0.4, 30), Schedules.exponential(0.98)))),
  SEQUENTIAL(
      "sequential",
      curves()
          .with(
              "step, polynomial, warmRestarts",
              Schedules.sequential(
                  List.of(
                      Schedules.step(10, 0.7),
                      Schedules.polynomial(30, 1),
                      Schedules.warmRestarts(15, 1, 0)),
                  List.of(30L, 60L)))),
  WARMUP_THEN(
      "warmupThen",
      curves()
          .with("cosineAnnealing", Schedules.warmupThen(15, Schedules.cosineAnnealing(85, 0)))
          .with("exponential", Schedules.warmupThen(30, Schedules.exponential(0.97)))),
  REDUCE_ON_PLATEAU(
      "ReduceOnPlateau",
      curves()
          .with(
              "0.5, patience 4",
              ReduceOnPlateau.builder().factor(0.5).patience(4).threshold(0.02).build())
          .with(
              "cooldown 15",
              ReduceOnPlateau.builder()
                  .factor(0.5)
                  .patience(4)
                  .threshold(0.02)
                  .cooldown(15)
                  .build()));

  /// The number of steps drawn.
  static final int STEPS = 101;

  final String title;
  final List<Curve> curves;

  Panel(String title, Curves curves) {
    this.title = title;
    this.curves = List.copyOf(curves.all);
  }

  private static Curves curves() {
    return new Curves();
  }

  private static List<Long> milestones() {
    return List.of(30L, 60L, 60L, 80L);
  }

  private static Schedule oneCycle(Annealing annealing, boolean threePhase) {
    return Schedules.oneCycle(1, 101, 0.3, annealing, 10, 100, threePhase);
  }

  private static Schedule oneCycleMomentum(Annealing annealing, boolean threePhase) {
    return Schedules.oneCycleMomentum(0.85, 0.95, 101, 0.3, annealing, threePhase);
  }

  private static Schedule cyclic(CyclicMode mode) {
    return Schedules.cyclic(0.1, 1, 10, 20, mode, 0.98);
  }

  private static Schedule cyclicMomentum(CyclicMode mode) {
    return Schedules.cyclicMomentum(0.8, 0.9, 10, 20, mode, 0.98);
  }

  private static Schedule warmupStableDecay(DecayShape shape) {
    return Schedules.warmupStableDecay(15, 45, 40, shape, 0.05);
  }

  /// Builds the list of curves.
  private static final class Curves {
    private final List<Curve> all = new ArrayList<>();

    Curves with(String label, Schedule schedule) {
      all.add(new Curve(label, schedule, null));
      return this;
    }

    Curves with(String label, ReduceOnPlateau plateau) {
      all.add(new Curve(label, null, plateau));
      return this;
    }
  }
}
