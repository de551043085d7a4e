package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.TensorFactor;

/// Momentum of gradients that are divided by an average norm of their tensor. It has one moment for each
/// element, and one number for each tensor:
///
///     n = norm(g)^2 at the first step, then beta2 * n + (1 - beta2) * norm(g)^2
///     g = g / (sqrt(n) + epsilon) + weightDecay * w
///     m = beta1 * m + g                                     (averaged: beta1 * m + (1 - beta1) * g)
///     w = w - learningRate * m
///
/// Sources: [Ginsburg and others 2019](https://arxiv.org/abs/1905.11286); timm's `nvnovograd`, whose
/// defaults these are.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class NovoGrad {
  private NovoGrad() {}

  /// Learning rate 1e-3, betas 0.95 and 0.98, epsilon 1e-8, no decay, not averaged.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private boolean averaged;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3).weightDecay(0);
      set(Hyperparameter.DAMPENING, 0);
      betas(0.95, 0.98).epsilon(1e-8);
    }

    /// @param beta1 decay of the first moment, from 0 to 1 exclusively; groups know it as
    ///   [Hyperparameter#MOMENTUM], or as [Hyperparameter#BETA1] if averaged
    /// @param beta2 decay of the squared norm, from 0 to 1 exclusively
    /// @throws IllegalArgumentException if one is out of range
    public Builder betas(double beta1, double beta2) {
      setBetas(beta1, beta2);
      return set(Hyperparameter.MOMENTUM, beta1);
    }

    /// @param value added to the root of the squared norm, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder epsilon(double value) {
      return set(Hyperparameter.EPSILON, value);
    }

    /// Whether the first moment is an average, with the factor `1 - beta1` for the gradient.
    public Builder averaged(boolean value) {
      averaged = value;
      return this;
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(averaged ? FirstMoment.MOVING_AVERAGE : FirstMoment.HEAVY_BALL)
          .decay(Decay.L2)
          .tensorFactor(TensorFactor.GRADIENT_NORM)
          .build();
    }
  }
}
