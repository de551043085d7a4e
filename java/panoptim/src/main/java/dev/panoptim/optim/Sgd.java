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
/// Its builder is not thread-safe; [Optimizer] says which threads may use what it builds.
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

    /// @param value from 0 to 1; at 0 there is no momentum, and groups cannot turn it on
    /// @throws IllegalArgumentException if it is out of range
    public Builder momentum(double value) {
      return set(Hyperparameter.MOMENTUM, value);
    }

    /// @param value from 0 to 1
    /// @throws IllegalArgumentException if it is out of range
    public Builder dampening(double value) {
      return set(Hyperparameter.DAMPENING, value);
    }

    /// Needs a momentum above 0 and a dampening of 0, which [#build()] checks.
    public Builder nesterov(boolean value) {
      nesterov = value;
      return this;
    }

    /// Momentum as the textbooks have it, `m = beta * m + (1 - beta) * g` from 0, in the place of
    /// PyTorch's; groups know beta as [Hyperparameter#BETA1].
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
            "averagedMomentum stands in the place of momentum, but momentum is " + momentum);
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
