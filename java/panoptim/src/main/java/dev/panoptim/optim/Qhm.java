package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;

/// Quasi-hyperbolic momentum, an average of plain gradient descent and averaged momentum:
///
///     g = g + weightDecay * w                               (or decoupled, as in AdamW)
///     m = momentum * m + (1 - momentum) * g
///     w = w - learningRate * ((1 - nu) * g + nu * m)
///
/// Sources: [Ma and Yarats 2018](https://arxiv.org/abs/1810.06801), whose recommended momentum and nu
/// are the defaults; their `qhoptim`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Qhm {
  private Qhm() {}

  /// Learning rate 1e-3, momentum 0.999, nu 0.7, no decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private boolean decoupledWeightDecay;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3).weightDecay(0);
      momentum(0.999).nu(0.7);
    }

    /// @param value decay of the averaged gradient, from 0 to 1 exclusively; groups know it as
    ///   [Hyperparameter#BETA1]
    /// @throws IllegalArgumentException if it is out of range
    public Builder momentum(double value) {
      return set(Hyperparameter.BETA1, value);
    }

    /// @param value the share of the average in the direction, from 0 to 1; groups know it as
    ///   [Hyperparameter#NU1]
    /// @throws IllegalArgumentException if it is out of range
    public Builder nu(double value) {
      return set(Hyperparameter.NU1, value);
    }

    /// Whether weight decay is separate from the gradient, as in AdamW. The default is `false`.
    public Builder decoupledWeightDecay(boolean value) {
      decoupledWeightDecay = value;
      return this;
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .nesterov(Nesterov.QUASI_HYPERBOLIC)
          .decay(decoupledWeightDecay ? Decay.DECOUPLED : Decay.L2)
          .build();
    }
  }
}
