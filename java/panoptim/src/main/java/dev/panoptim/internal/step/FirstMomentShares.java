package dev.panoptim.internal.step;

import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;

/// The first moment's decay, the share of its input, and its bias correction.
///
/// Mutable, so that a step need not allocate. Not thread-safe.
final class FirstMomentShares {
  private final Coefficients target;
  private final Powers powers = new Powers();
  private Hyperparameters values;
  private double beta;
  private double take;
  private boolean corrects;
  private boolean heavyBall;

  /// Whether a heavy ball has the shares of its first step.
  private boolean first;

  FirstMomentShares(Coefficients target) {
    this.target = target;
  }

  /// Sets the shares that do not depend on the step.
  void decide(Rule rule, Hyperparameters values) {
    this.values = values;
    heavyBall = rule.firstMoment() == FirstMoment.HEAVY_BALL;
    corrects = false;
    switch (rule.firstMoment()) {
      case NONE -> set(0, 0);
      case HEAVY_BALL -> heavyBall(false);
      case MOVING_AVERAGE -> {
        boolean interpolated = rule.nesterov() == Nesterov.INTERPOLATED;
        beta = values.orZero(interpolated ? Hyperparameter.BETA2 : Hyperparameter.BETA1);
        set(beta, 1 - beta);
        // A schedule corrects each part of its direction by itself.
        corrects =
            rule.biasCorrection()
                && rule.nesterov() != Nesterov.SCHEDULED
                && rule.nesterov() != Nesterov.QUASI_HYPERBOLIC;
      }
    }
  }

  /// Sets the shares that change at each step.
  ///
  /// @return the bias correction's factor of the direction; 1 if there is none
  double compute(long step) {
    if (heavyBall && first != (step == 1)) {
      heavyBall(step == 1);
    }
    return corrects ? 1 / (1 - powers.power(beta, step)) : 1;
  }

  /// Corrects the input. (LaProp: [Ziyin and others 2020](https://arxiv.org/abs/2002.04839).)
  void correctInput(double correction) {
    target.firstTake(take * correction);
  }

  private void heavyBall(boolean atFirstStep) {
    double decay = atFirstStep ? 0 : values.orZero(Hyperparameter.MOMENTUM);
    // PyTorch keeps no buffer at momentum 0, so there is nothing to dampen.
    set(decay, decay == 0 ? 1 : 1 - values.orZero(Hyperparameter.DAMPENING));
    first = atFirstStep;
  }

  private void set(double decay, double take) {
    this.take = take;
    target.firstMoment(decay, take);
  }
}
