package dev.panoptim.internal.step;

import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;

/// The shares of the first moment and of its input in the direction: see
/// [dev.panoptim.rule.Nesterov].
///
/// Mutable, so that a step need not allocate. Not thread-safe.
final class NesterovShares {
  /// Of NAdam's schedule, `0.96^(t * momentumDecay)`.
  private static final double LOG_OF_BASE = StrictMath.log(0.96);

  private final Coefficients target;
  private final Powers powers = new Powers();
  private Rule rule;
  private Hyperparameters values;

  NesterovShares(Coefficients target) {
    this.target = target;
  }

  /// Sets the shares that do not depend on the step.
  void decide(Rule rule, Hyperparameters values) {
    this.rule = rule;
    this.values = values;
    switch (rule.nesterov()) {
      case NONE -> target.nesterov(0, 0);
      case NESTEROV -> {
        boolean average = rule.firstMoment() == FirstMoment.MOVING_AVERAGE;
        double moment = values.orZero(average ? Hyperparameter.BETA1 : Hyperparameter.MOMENTUM);
        target.nesterov(average ? 1 - moment : 1, moment);
      }
      case SCHEDULED, QUASI_HYPERBOLIC -> {}
      case INTERPOLATED -> {
        double moment = values.orZero(Hyperparameter.BETA1);
        target.nesterov(1 - moment, moment);
      }
    }
  }

  /// Sets the shares that change at each step.
  ///
  /// @param before the parameter's scalars before this step
  void compute(long step, double[] before) {
    switch (rule.nesterov()) {
      case NONE, NESTEROV, INTERPOLATED -> {}
      case SCHEDULED -> schedule(step, before[0]);
      case QUASI_HYPERBOLIC -> {
        double share = values.orZero(Hyperparameter.NU1);
        double correction =
            rule.biasCorrection() ? 1 - powers.power(values.orZero(Hyperparameter.BETA1), step) : 1;
        target.nesterov(1 - share, share / correction);
      }
    }
  }

  /// NAdam's momentum at a step.
  private void schedule(long step, double productBefore) {
    double now = scheduledMomentum(step);
    double next = scheduledMomentum(step + 1);
    // A smaller product does not change the differences from 1 below. It becomes 0, because
    // multiplications of denormal numbers are slow.
    double product = productBefore < 0x1p-60 ? 0 : productBefore * now;
    target.scalars[0] = product;
    target.nesterov((1 - now) / (1 - product), next / (1 - product * next));
  }

  private double scheduledMomentum(long step) {
    double exponent = step * values.orZero(Hyperparameter.MOMENTUM_DECAY);
    return values.orZero(Hyperparameter.BETA1) * (1 - 0.5 * StrictMath.exp(exponent * LOG_OF_BASE));
  }
}
