package dev.panoptim.schedule;

import java.util.List;
import java.util.function.LongToDoubleFunction;

/// Makes schedules.
///
/// Those that PyTorch has are its own, to the last bit of every double, with the names and defaults
/// of its arguments; where it calls on its C library for a cosine or a power, these here are
/// correctly rounded. All are by default for the learning rate, but drive any hyperparameter.
/// Values are doubles in the units of the hyperparameter, factors are without unit, and steps are
/// those of [Scheduler#step()].
///
/// Every factory throws an [IllegalArgumentException] that names the value, the parameter and the
/// bound if an argument is out of range, and a [NullPointerException] if one is `null`.
///
/// Thread-safe, and what it makes is immutable.
public final class Schedules {
  private Schedules() {}

  /// The value stays as it is.
  public static Schedule constant() {
    return new Constant();
  }

  /// `factor` times the initial value, and from step `totalIters` on the initial value. (PyTorch:
  /// ConstantLR, where the defaults are 1/3 and 5.)
  ///
  /// @param factor from 0 to 1; from 0 the recurrence finds no way back, and its value at
  ///   `totalIters` is NaN
  /// @param totalIters 1 or more
  public static Schedule constantFactor(double factor, long totalIters) {
    return new ConstantFactor(factor, totalIters);
  }

  /// Multiplies the value by `gamma` every `stepSize` steps. (PyTorch: StepLR.)
  ///
  /// @param stepSize 1 or more
  /// @param gamma finite, 0 or more; 0.1 in PyTorch unless told
  public static Schedule step(long stepSize, double gamma) {
    return new StepDecay(stepSize, gamma);
  }

  /// Multiplies the value by `gamma` at every milestone, and twice at one that is there twice.
  /// (PyTorch: MultiStepLR.)
  ///
  /// @param milestones steps, 0 or more, in any order
  /// @param gamma finite, 0 or more; 0.1 in PyTorch unless told
  public static Schedule multiStep(List<Long> milestones, double gamma) {
    return new MultiStep(milestones, gamma);
  }

  /// Multiplies the value by `gamma` at every step. (PyTorch: ExponentialLR.)
  ///
  /// @param gamma finite, 0 or more
  public static Schedule exponential(double gamma) {
    return new Exponential(gamma);
  }

  /// `initial * (1 - step / totalIters)^power`, and 0 from `totalIters` on. (PyTorch: PolynomialLR,
  /// where the defaults are 5 and 1.)
  ///
  /// @param totalIters 1 or more
  /// @param power finite, 0 or more
  public static Schedule polynomial(long totalIters, double power) {
    return new Polynomial(totalIters, power);
  }

  /// From `startFactor` times the initial value to `endFactor` times it by equal amounts, and stays
  /// there from step `totalIters` on: a warm-up, or a way down. (PyTorch: LinearLR, where the
  /// defaults are 1/3, 1 and 5.)
  ///
  /// @param startFactor above 0, at most 1
  /// @param endFactor from 0 to 1
  /// @param totalIters 1 or more
  public static Schedule linear(double startFactor, double endFactor, long totalIters) {
    return new Linear(startFactor, endFactor, totalIters);
  }

  /// `etaMin + (initial - etaMin) * (1 + cos(pi * step / tMax)) / 2`: down to `etaMin` at step
  /// `tMax`, after which it rises again. (PyTorch: CosineAnnealingLR. Source: Loshchilov and Hutter
  /// 2017.)
  ///
  /// Reaches as far as `2^28 * tMax` steps; after that it throws an [IllegalArgumentException].
  ///
  /// @param tMax 1 or more
  /// @param etaMin finite, 0 or more; 0 in PyTorch unless told
  public static Schedule cosineAnnealing(long tMax, double etaMin) {
    return new CosineAnnealing(tMax, etaMin);
  }

  /// [#cosineAnnealing] that starts anew after `t0` steps, then after `t0 * tMult`, `t0 * tMult^2`
  /// and so on. (PyTorch: CosineAnnealingWarmRestarts, by `step()`; its `step(epoch)` finds the
  /// cycle with a logarithm, which can be off by one. Source: Loshchilov and Hutter 2017.)
  ///
  /// @param t0 1 or more
  /// @param tMult 1 or more; 1 in PyTorch unless told
  /// @param etaMin finite, 0 or more; 0 in PyTorch unless told
  public static Schedule warmRestarts(long t0, long tMult, double etaMin) {
    return new WarmRestarts(t0, tMult, etaMin);
  }

  /// [#oneCycle(double, long, double, Annealing, double, double, boolean)] with PyTorch's defaults:
  /// `pctStart` 0.3, cosine, `divFactor` 25, `finalDivFactor` 1e4, two phases.
  public static Schedule oneCycle(double maxLr, long totalSteps) {
    return oneCycle(maxLr, totalSteps, 0.3, Annealing.COSINE, 25, 1e4, false);
  }

  /// From `maxLr / divFactor` up to `maxLr`, and down to `maxLr / divFactor / finalDivFactor`; with
  /// three phases down to `maxLr / divFactor` as fast as up, and then to the end. The initial value
  /// plays no part. (PyTorch: OneCycleLR. Source: Smith and Topin 2018.)
  ///
  /// The last value, that of step `totalSteps - 1`, stays. PyTorch runs on along the curve for one
  /// step, with straight lines to below 0, and throws after that.
  ///
  /// @param maxLr finite, above 0
  /// @param totalSteps 1 or more
  /// @param pctStart the share of the steps on which the value rises, from 0 to 1, but not `1 /
  ///   totalSteps`, where PyTorch divides by 0
  /// @param divFactor finite, above 0
  /// @param finalDivFactor finite, above 0
  public static Schedule oneCycle(
      double maxLr,
      long totalSteps,
      double pctStart,
      Annealing annealing,
      double divFactor,
      double finalDivFactor,
      boolean threePhase) {
    double start = Require.positive(maxLr, "maxLr") / Require.positive(divFactor, "divFactor");
    double end = start / Require.positive(finalDivFactor, "finalDivFactor");
    return new OneCycle(start, maxLr, end, totalSteps, pctStart, annealing, threePhase);
  }

  /// What [#oneCycle] does to the momentum at the same time, for
  /// [MOMENTUM][dev.panoptim.rule.Hyperparameter#MOMENTUM] or
  /// [BETA1][dev.panoptim.rule.Hyperparameter#BETA1]: from `maxMomentum` down to `baseMomentum`,
  /// and back.
  ///
  /// @param baseMomentum from 0 to 1; 0.85 in PyTorch unless told
  /// @param maxMomentum from 0 to 1; 0.95 in PyTorch unless told
  /// @param totalSteps as there
  /// @param pctStart as there
  public static Schedule oneCycleMomentum(
      double baseMomentum,
      double maxMomentum,
      long totalSteps,
      double pctStart,
      Annealing annealing,
      boolean threePhase) {
    Require.from0To1(baseMomentum, "baseMomentum");
    Require.from0To1(maxMomentum, "maxMomentum");
    return new OneCycle(
        maxMomentum, baseMomentum, maxMomentum, totalSteps, pctStart, annealing, threePhase);
  }

  /// From `baseLr` to `maxLr` in `stepSizeUp` steps, back in `stepSizeDown`, and again. The initial
  /// value plays no part. (PyTorch: CyclicLR, where the defaults are 2000, the same, triangular and
  /// 1. Source: Smith 2017.)
  ///
  /// @param baseLr finite, 0 or more
  /// @param maxLr finite, 0 or more
  /// @param stepSizeUp 1 or more
  /// @param stepSizeDown 1 or more
  /// @param gamma finite, 0 or more; counts for [CyclicMode#EXP_RANGE] alone
  public static Schedule cyclic(
      double baseLr,
      double maxLr,
      long stepSizeUp,
      long stepSizeDown,
      CyclicMode mode,
      double gamma) {
    Require.notNegative(baseLr, "baseLr");
    Require.notNegative(maxLr, "maxLr");
    return new Cyclic(baseLr, maxLr, stepSizeUp, stepSizeDown, mode, gamma);
  }

  /// What [#cyclic] does to the momentum at the same time: from `maxMomentum` to `baseMomentum` and
  /// back.
  ///
  /// @param baseMomentum from 0 to 1; 0.8 in PyTorch unless told
  /// @param maxMomentum from 0 to 1; 0.9 in PyTorch unless told
  /// @param stepSizeUp as there
  /// @param stepSizeDown as there
  /// @param gamma as there
  public static Schedule cyclicMomentum(
      double baseMomentum,
      double maxMomentum,
      long stepSizeUp,
      long stepSizeDown,
      CyclicMode mode,
      double gamma) {
    Require.from0To1(baseMomentum, "baseMomentum");
    Require.from0To1(maxMomentum, "maxMomentum");
    return new Cyclic(maxMomentum, baseMomentum, stepSizeUp, stepSizeDown, mode, gamma);
  }

  /// Rises by equal amounts to the initial value in `warmupSteps`, stays there for `stableSteps`,
  /// and falls in `decaySteps`; it starts and ends at `minimumFactor` times the initial value.
  /// (Hugging Face: `get_wsd_schedule`. Sources: Hu and others 2024, MiniCPM; Hägele and others
  /// 2024 for the square root.)
  ///
  /// @param warmupSteps 0 or more
  /// @param stableSteps 0 or more
  /// @param decaySteps 0 or more
  /// @param minimumFactor from 0 to 1
  public static Schedule warmupStableDecay(
      long warmupSteps, long stableSteps, long decaySteps, DecayShape shape, double minimumFactor) {
    return new WarmupStableDecay(warmupSteps, stableSteps, decaySteps, shape, minimumFactor);
  }

  /// With `n = step + 1`, which counts from 1: `initial * n / warmupSteps` while `n` is below
  /// `warmupSteps`, then `initial * sqrt(warmupSteps / n)`. (Source: Vaswani and others 2017, the
  /// Transformer; fairseq's `inverse_sqrt`.)
  ///
  /// @param warmupSteps 1 or more
  public static Schedule inverseSquareRoot(long warmupSteps) {
    return new InverseSquareRoot(warmupSteps);
  }

  /// `initial * factor(step)`. (PyTorch: LambdaLR.)
  ///
  /// @param name stands for the function where schedules are compared; functions that differ should
  ///   have names that do
  /// @param factor depends on nothing but the step
  public static Schedule lambda(String name, LongToDoubleFunction factor) {
    return new Lambda(name, factor);
  }

  /// Multiplies the value by `factor(step)` at every step from 1 on. (PyTorch: MultiplicativeLR.)
  /// [Schedule#at] multiplies all factors up to the step, which takes time in proportion to it:
  /// meant for [recurrent][Scheduler.Builder#recurrent] schedulers.
  ///
  /// @param name stands for the function, as in [#lambda]
  /// @param factor depends on nothing but the step
  public static Schedule multiplicative(String name, LongToDoubleFunction factor) {
    return new Multiplicative(name, factor);
  }

  /// Several schedules at once, each applied to what the ones before it have made: [Schedule#at] of
  /// each has for its initial value the value of the one before. By the recurrences it is PyTorch's
  /// ChainedScheduler, in which the initial value is the same for all.
  ///
  /// @param schedules at least one
  public static Schedule chained(Schedule... schedules) {
    return new Chained(List.of(schedules));
  }

  /// One schedule after the other: at each milestone the next one takes over and starts from its
  /// own step 0 and the initial value. (PyTorch: SequentialLR. There, what has no closed form
  /// starts otherwise if it is not the first: a MultiplicativeLR goes on from the present value,
  /// and a ChainedScheduler or a SequentialLR throws; and if it is the first, a SequentialLR inside
  /// another changes over one step too early.)
  ///
  /// @param schedules at least one
  /// @param milestones steps, 1 or more, ascending without repetition; one less than schedules
  public static Schedule sequential(List<Schedule> schedules, List<Long> milestones) {
    return new Sequential(schedules, milestones);
  }

  /// A linear warm-up before a schedule: the value rises by equal amounts from `initial /
  /// (warmupSteps + 1)` at step 0, and at step `warmupSteps` the schedule begins. The same as
  /// [#sequential] of [#linear] and the schedule.
  ///
  /// @param warmupSteps 0 or more; with 0 it is the schedule itself
  public static Schedule warmupThen(long warmupSteps, Schedule schedule) {
    return Require.atLeast(0, warmupSteps, "warmupSteps") == 0
        ? schedule
        : sequential(
            List.of(linear(1.0 / (warmupSteps + 1), 1, warmupSteps), schedule),
            List.of(warmupSteps));
  }
}
