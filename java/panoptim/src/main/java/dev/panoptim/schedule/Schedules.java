package dev.panoptim.schedule;

import java.util.List;
import java.util.function.LongToDoubleFunction;

/// Factories of schedules.
///
/// Each schedule with a counterpart in PyTorch gives the same doubles bit by bit, and has the names
/// and defaults of its arguments. The exceptions are cosines and powers: PyTorch takes them from
/// its C library, whereas these are correctly rounded. The names refer to the learning rate, but a
/// schedule can drive any hyperparameter. Values are doubles in the units of the hyperparameter,
/// factors have no unit, and steps are those of [Scheduler#step()].
///
/// Every factory throws an [IllegalArgumentException] if an argument is out of range, with the
/// value, the parameter and the bound, and a [NullPointerException] if an argument is `null`.
///
/// Thread-safe. Schedules are immutable.
public final class Schedules {
  private Schedules() {}

  /// The value stays the same.
  public static Schedule constant() {
    return new Constant();
  }

  /// `factor` times the initial value before step `totalIters`, and the initial value from then on.
  /// (PyTorch: ConstantLR, with the defaults 1/3 and 5.)
  ///
  /// @param factor from 0 to 1; with 0, the recurrence gives NaN at `totalIters`, because it
  ///   divides by `factor`
  /// @param totalIters 1 or more
  public static Schedule constantFactor(double factor, long totalIters) {
    return new ConstantFactor(factor, totalIters);
  }

  /// Multiplies the value by `gamma` every `stepSize` steps. (PyTorch: StepLR.)
  ///
  /// @param stepSize 1 or more
  /// @param gamma finite, 0 or more; PyTorch's default is 0.1
  public static Schedule step(long stepSize, double gamma) {
    return new StepDecay(stepSize, gamma);
  }

  /// Multiplies the value by `gamma` at every milestone. A milestone that occurs twice counts
  /// twice. (PyTorch: MultiStepLR.)
  ///
  /// @param milestones steps, 0 or more, in any order
  /// @param gamma finite, 0 or more; PyTorch's default is 0.1
  public static Schedule multiStep(List<Long> milestones, double gamma) {
    return new MultiStep(milestones, gamma);
  }

  /// Multiplies the value by `gamma` at every step. (PyTorch: ExponentialLR.)
  ///
  /// @param gamma finite, 0 or more
  public static Schedule exponential(double gamma) {
    return new Exponential(gamma);
  }

  /// `initial * (1 - step / totalIters)^power` before step `totalIters`, and 0 from then on.
  /// (PyTorch: PolynomialLR, with the defaults 5 and 1.)
  ///
  /// @param totalIters 1 or more
  /// @param power finite, 0 or more
  public static Schedule polynomial(long totalIters, double power) {
    return new Polynomial(totalIters, power);
  }

  /// Changes linearly from `startFactor` times the initial value to `endFactor` times the initial
  /// value at step `totalIters`, and stays there. (PyTorch: LinearLR, with the defaults 1/3, 1 and
  /// 5.)
  ///
  /// @param startFactor above 0, at most 1
  /// @param endFactor from 0 to 1
  /// @param totalIters 1 or more
  public static Schedule linear(double startFactor, double endFactor, long totalIters) {
    return new Linear(startFactor, endFactor, totalIters);
  }

  /// `etaMin + (initial - etaMin) * (1 + cos(pi * step / tMax)) / 2`: falls to `etaMin` at step
  /// `tMax` and then rises again. (PyTorch: CosineAnnealingLR. Source: Loshchilov and Hutter 2017,
  /// <https://arxiv.org/abs/1608.03983>.)
  ///
  /// The schedule throws an [IllegalArgumentException] beyond step `2^28 * tMax`.
  ///
  /// @param tMax 1 or more
  /// @param etaMin finite, 0 or more; PyTorch's default is 0
  public static Schedule cosineAnnealing(long tMax, double etaMin) {
    return new CosineAnnealing(tMax, etaMin);
  }

  /// [#cosineAnnealing] that restarts after `t0` steps, then after `t0 * tMult`, `t0 * tMult^2` and
  /// so on. (PyTorch: CosineAnnealingWarmRestarts with `step()`. Its `step(epoch)` finds the cycle
  /// with a logarithm, which can be off by one. Source: Loshchilov and Hutter 2017,
  /// <https://arxiv.org/abs/1608.03983>.)
  ///
  /// @param t0 1 or more
  /// @param tMult 1 or more; PyTorch's default is 1
  /// @param etaMin finite, 0 or more; PyTorch's default is 0
  public static Schedule warmRestarts(long t0, long tMult, double etaMin) {
    return new WarmRestarts(t0, tMult, etaMin);
  }

  /// [#oneCycle(double, long, double, Annealing, double, double, boolean)] with PyTorch's defaults:
  /// `pctStart` 0.3, cosine annealing, `divFactor` 25, `finalDivFactor` 1e4 and two phases.
  public static Schedule oneCycle(double maxLr, long totalSteps) {
    return oneCycle(maxLr, totalSteps, 0.3, Annealing.COSINE, 25, 1e4, false);
  }

  /// Rises from `maxLr / divFactor` to `maxLr`, and falls to `maxLr / divFactor / finalDivFactor`.
  /// With three phases, the value first falls to `maxLr / divFactor` in as many steps as it rose,
  /// and then to the end. The initial value is ignored. (PyTorch: OneCycleLR. Source: Smith and
  /// Topin 2018, <https://arxiv.org/abs/1708.07120>.)
  ///
  /// After step `totalSteps - 1` the value stays constant. PyTorch continues the curve for one more
  /// step, with linear annealing to below 0, and then throws.
  ///
  /// @param maxLr finite, above 0
  /// @param totalSteps 1 or more
  /// @param pctStart the fraction of the steps in which the value rises, from 0 to 1. It must not
  ///   be `1 / totalSteps`, where PyTorch divides by 0
  /// @param annealing the shape of the rise and of the fall
  /// @param divFactor finite, above 0
  /// @param finalDivFactor finite, above 0
  /// @param threePhase whether the schedule has three phases instead of two
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

  /// The momentum that belongs to [#oneCycle], for
  /// [MOMENTUM][dev.panoptim.rule.Hyperparameter#MOMENTUM] or
  /// [BETA1][dev.panoptim.rule.Hyperparameter#BETA1]: falls from `maxMomentum` to `baseMomentum`
  /// while the learning rate rises, and rises again.
  ///
  /// @param baseMomentum from 0 to 1; PyTorch's default is 0.85
  /// @param maxMomentum from 0 to 1; PyTorch's default is 0.95
  /// @param totalSteps as in [#oneCycle]
  /// @param pctStart as in [#oneCycle]
  /// @param annealing as in [#oneCycle]
  /// @param threePhase as in [#oneCycle]
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

  /// Rises from `baseLr` to `maxLr` in `stepSizeUp` steps, falls back in `stepSizeDown` steps, and
  /// repeats. The initial value is ignored. (PyTorch: CyclicLR, with the defaults 2000 for both
  /// step sizes, triangular and 1. Source: Smith 2017, <https://arxiv.org/abs/1506.01186>.)
  ///
  /// @param baseLr finite, 0 or more
  /// @param maxLr finite, 0 or more
  /// @param stepSizeUp 1 or more
  /// @param stepSizeDown 1 or more
  /// @param mode how the height of the cycles changes
  /// @param gamma finite, 0 or more; used only by [CyclicMode#EXP_RANGE]
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

  /// The momentum that belongs to [#cyclic]: falls from `maxMomentum` to `baseMomentum` while the
  /// learning rate rises, and rises again.
  ///
  /// @param baseMomentum from 0 to 1; PyTorch's default is 0.8
  /// @param maxMomentum from 0 to 1; PyTorch's default is 0.9
  /// @param stepSizeUp as in [#cyclic]
  /// @param stepSizeDown as in [#cyclic]
  /// @param mode as in [#cyclic]
  /// @param gamma as in [#cyclic]
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

  /// Rises linearly to the initial value in `warmupSteps` steps, stays there for `stableSteps`
  /// steps, and falls in `decaySteps` steps. The value starts and ends at `minimumFactor` times the
  /// initial value. (Hugging Face: `get_wsd_schedule`. Sources: Hu et al. 2024, MiniCPM,
  /// <https://arxiv.org/abs/2404.06395>; the square root: Hägele et al. 2024,
  /// <https://arxiv.org/abs/2405.18392>.)
  ///
  /// @param warmupSteps 0 or more
  /// @param stableSteps 0 or more
  /// @param decaySteps 0 or more
  /// @param shape the curve of the fall
  /// @param minimumFactor from 0 to 1
  public static Schedule warmupStableDecay(
      long warmupSteps, long stableSteps, long decaySteps, DecayShape shape, double minimumFactor) {
    return new WarmupStableDecay(warmupSteps, stableSteps, decaySteps, shape, minimumFactor);
  }

  /// `initial * n / warmupSteps` with `n = step + 1` while `n` is below `warmupSteps`, then
  /// `initial * sqrt(warmupSteps / n)`. (Source: Vaswani et al. 2017, the Transformer,
  /// <https://arxiv.org/abs/1706.03762>; fairseq's `inverse_sqrt`.)
  ///
  /// @param warmupSteps 1 or more
  public static Schedule inverseSquareRoot(long warmupSteps) {
    return new InverseSquareRoot(warmupSteps);
  }

  /// `initial * factor(step)`. (PyTorch: LambdaLR.)
  ///
  /// @param name identifies the function when saved and loaded schedules are compared; use
  ///   different names for different functions
  /// @param factor a function of the step alone
  public static Schedule lambda(String name, LongToDoubleFunction factor) {
    return new Lambda(name, factor);
  }

  /// Multiplies the value by `factor(step)` at every step from 1 on. (PyTorch: MultiplicativeLR.)
  /// [Schedule#at] multiplies all factors up to the step, which takes time proportional to the
  /// step. Prefer a [recurrent][Scheduler.Builder#recurrent] scheduler.
  ///
  /// @param name identifies the function, as in [#lambda]
  /// @param factor a function of the step alone
  public static Schedule multiplicative(String name, LongToDoubleFunction factor) {
    return new Multiplicative(name, factor);
  }

  /// Applies several schedules at every step, each to the result of the previous one: in
  /// [Schedule#at], the initial value of a schedule is the value of the schedule before. The
  /// recurrences are those of PyTorch's ChainedScheduler, in which all schedules have the same
  /// initial value.
  ///
  /// @param schedules at least one
  public static Schedule chained(Schedule... schedules) {
    return new Chained(List.of(schedules));
  }

  /// Runs schedules one after the other. At each milestone the next schedule starts at its own step
  /// 0 and from the initial value. (PyTorch: SequentialLR.)
  ///
  /// PyTorch differs for schedules without a closed form that are not the first: a MultiplicativeLR
  /// continues from the present value, and a ChainedScheduler or a SequentialLR throws. A
  /// SequentialLR that is the first schedule of another one switches one step too early in PyTorch.
  ///
  /// @param schedules at least one
  /// @param milestones steps, 1 or more, strictly ascending; one fewer than the schedules
  public static Schedule sequential(List<Schedule> schedules, List<Long> milestones) {
    return new Sequential(schedules, milestones);
  }

  /// A linear warm-up before a schedule. The value rises linearly from `initial / (warmupSteps +
  /// 1)` at step 0, and at step `warmupSteps` the schedule begins. The result equals [#sequential]
  /// of [#linear] and the schedule.
  ///
  /// @param warmupSteps 0 or more; with 0, the result is the schedule itself
  /// @param schedule the schedule after the warm-up
  public static Schedule warmupThen(long warmupSteps, Schedule schedule) {
    return Require.atLeast(0, warmupSteps, "warmupSteps") == 0
        ? schedule
        : sequential(
            List.of(linear(1.0 / (warmupSteps + 1), 1, warmupSteps), schedule),
            List.of(warmupSteps));
  }
}
