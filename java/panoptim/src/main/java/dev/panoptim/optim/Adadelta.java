package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// Adadelta:
///
///     g = g + weightDecay * w
///     v = rho * v + (1 - rho) * g * g
///     d = sqrt(u + epsilon) / sqrt(v + epsilon) * g
///     u = rho * u + (1 - rho) * d * d
///     w = w - learningRate * d
///
/// Sources: [Zeiler 2012](https://arxiv.org/abs/1212.5701); PyTorch's `torch.optim.Adadelta`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Adadelta {
  private Adadelta() {}

  /// Learning rate 1, rho 0.9, epsilon 1e-6, no decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1).weightDecay(0);
      set(Hyperparameter.BETA2, 0.9);
      set(Hyperparameter.EPSILON, 1e-6);
    }

    /// @param value decay of both averages, from 0 to 1 exclusively; groups know it as
    ///   [Hyperparameter#BETA2]
    /// @throws IllegalArgumentException if it is out of range
    public Builder rho(double value) {
      return set(Hyperparameter.BETA2, value);
    }

    /// @param value added under both roots, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is not
    public Builder epsilon(double value) {
      return set(Hyperparameter.EPSILON, value);
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .secondMoment(SecondMoment.MOVING_AVERAGE)
          .epsilonInside(true)
          .unitCorrection(true)
          .decay(Decay.L2)
          .build();
    }
  }
}
