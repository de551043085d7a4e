package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.TensorFactor;

/// SGD with momentum whose gradients are scaled to the norm of their tensor, for large batches:
///
///     r = trustCoefficient * norm(w) / (norm(g) + weightDecay * norm(w) + epsilon)
///     g = r * (g + weightDecay * w)
///     m = momentum * m + g                                  (m = g at the first step)
///     w = w - learningRate * m                              (nesterov: g + momentum * m)
///
/// The ratio r is 1 where a norm is 0. [StepReport#factor] returns it.
///
/// Sources: [You, Gitman and Ginsburg 2017](https://arxiv.org/abs/1708.03888); timm's `lars`; LARC, the
/// variant of NVIDIA's apex: [Builder#clipped].
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Lars {
  private Lars() {}

  /// Learning rate 1e-3, momentum 0.9, trust coefficient 1e-3, epsilon 1e-8, no decay, not clipped.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private boolean nesterov;
    private boolean clipped;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3).weightDecay(0);
      set(Hyperparameter.DAMPENING, 0);
      momentum(0.9).trustCoefficient(1e-3).epsilon(1e-8);
    }

    /// @param value from 0 to 1
    /// @throws IllegalArgumentException if it is out of range
    public Builder momentum(double value) {
      return set(Hyperparameter.MOMENTUM, value);
    }

    /// Whether to use Nesterov momentum; it needs a momentum above 0.
    public Builder nesterov(boolean value) {
      nesterov = value;
      return this;
    }

    /// @param value the factor of the ratio, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder trustCoefficient(double value) {
      return set(Hyperparameter.TRUST_COEFFICIENT, value);
    }

    /// @param value added to the divisor of the ratio, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder epsilon(double value) {
      return set(Hyperparameter.EPSILON, value);
    }

    /// Whether the factor is `min(r / learningRate, 1)`, as in LARC: gradients are only reduced.
    public Builder clipped(boolean value) {
      clipped = value;
      return this;
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.HEAVY_BALL)
          .nesterov(nesterov ? Nesterov.NESTEROV : Nesterov.NONE)
          .decay(Decay.L2)
          .tensorFactor(
              clipped
                  ? TensorFactor.CLIPPED_GRADIENT_TRUST_RATIO
                  : TensorFactor.GRADIENT_TRUST_RATIO)
          .build();
    }
  }
}
