package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;

/// Stochastic gradient descent, with momentum, dampening, Nesterov momentum and L2 decay as PyTorch has them:
///
///     g = g + weightDecay * w
///     m = momentum * m + (1 - dampening) * g      (m = g at the first step)
///     w = w - learningRate * m                    (nesterov: g + momentum * m)
///
/// Without momentum there is no state, and `w = w - learningRate * g`.
///
/// Sources: Polyak 1964; Sutskever, Martens, Dahl and Hinton 2013; PyTorch's `torch.optim.SGD`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Sgd {
  private Sgd() {}

  /// Learning rate 1e-3, all else 0.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// Options of SGD.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private boolean nesterov;
    private boolean averages;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3).momentum(0).dampening(0).weightDecay(0);
    }

    /// @param value from 0 to 1; at 0 there is no momentum, not even with a group's override
    /// @throws IllegalArgumentException if it is out of range
    public Builder momentum(double value) {
      return set(Hyperparameter.MOMENTUM, value);
    }

    /// @param value from 0 to 1
    /// @throws IllegalArgumentException if it is out of range
    public Builder dampening(double value) {
      return set(Hyperparameter.DAMPENING, value);
    }

    /// Whether to use Nesterov momentum. [#build()] requires a momentum above 0 and a dampening of
    /// 0.
    public Builder nesterov(boolean value) {
      nesterov = value;
      return this;
    }

    /// Uses a moving average, `m = beta * m + (1 - beta) * g` from 0, instead of PyTorch's
    /// momentum; groups know beta as [Hyperparameter#BETA1].
    ///
    /// @param beta from 0 to 1 exclusively
    /// @throws IllegalArgumentException if it is out of range
    public Builder averagedMomentum(double beta) {
      averages = true;
      return set(Hyperparameter.BETA1, beta);
    }

    @Override
    Rule composition() {
      double momentum = get(Hyperparameter.MOMENTUM);
      if (averages && momentum != 0) {
        throw new IllegalArgumentException(
            "averagedMomentum replaces momentum, so momentum must be 0, but is " + momentum);
      }
      FirstMoment heavyBall =
          momentum == 0 && !nesterov ? FirstMoment.NONE : FirstMoment.HEAVY_BALL;
      return Rule.builder()
          .firstMoment(averages ? FirstMoment.MOVING_AVERAGE : heavyBall)
          .nesterov(nesterov ? Nesterov.NESTEROV : Nesterov.NONE)
          .decay(Decay.L2)
          .build();
    }
  }
}
