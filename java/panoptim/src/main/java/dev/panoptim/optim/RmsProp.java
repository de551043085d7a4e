package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// RMSprop:
///
///     g = g + weightDecay * w
///     v = alpha * v + (1 - alpha) * g * g
///     d = g / (sqrt(v) + epsilon)                           (centered: v less the square of g's average)
///     m = momentum * m + d                                  (without momentum: m = d)
///     w = w - learningRate * m
///
/// Sources: [Hinton 2012](https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf);
/// [Graves 2013](https://arxiv.org/abs/1308.0850) (centered); PyTorch's `torch.optim.RMSprop`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class RmsProp {
  private RmsProp() {}

  /// Learning rate 1e-2, alpha 0.99, epsilon 1e-8, no momentum, not centered, no decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private boolean centered;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-2).weightDecay(0);
      set(Hyperparameter.BETA2, 0.99);
      set(Hyperparameter.EPSILON, 1e-8);
      set(Hyperparameter.MOMENTUM, 0);
      set(Hyperparameter.DAMPENING, 0);
    }

    /// @param value decay of the second moment, from 0 to 1 exclusively; groups know it as
    ///   [Hyperparameter#BETA2]
    /// @throws IllegalArgumentException if it is out of range
    public Builder alpha(double value) {
      return set(Hyperparameter.BETA2, value);
    }

    /// @param value added to the root of the second moment, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is not
    public Builder epsilon(double value) {
      return set(Hyperparameter.EPSILON, value);
    }

    /// @param value from 0 to 1; at 0 there is no momentum, not even with a group's override
    /// @throws IllegalArgumentException if it is out of range
    public Builder momentum(double value) {
      return set(Hyperparameter.MOMENTUM, value);
    }

    /// Divides by the root of the variance.
    public Builder centered(boolean value) {
      centered = value;
      return this;
    }

    @Override
    Rule composition() {
      boolean momentum = get(Hyperparameter.MOMENTUM) != 0;
      return Rule.builder()
          .firstMoment(momentum ? FirstMoment.HEAVY_BALL : FirstMoment.NONE)
          .momentumLast(momentum)
          .secondMoment(centered ? SecondMoment.CENTERED_AVERAGE : SecondMoment.MOVING_AVERAGE)
          .decay(Decay.L2)
          .build();
    }
  }
}
