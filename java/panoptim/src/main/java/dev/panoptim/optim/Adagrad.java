package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// Adagrad:
///
///     g = g + weightDecay * w
///     v = v + g * g                                         (from initialAccumulator)
///     w = w - learningRate / (1 + (t - 1) * learningRateDecay) * g / (sqrt(v) + epsilon)
///
/// Sources: [Duchi, Hazan and Singer 2011](https://jmlr.org/papers/v12/duchi11a.html); PyTorch's `torch.optim.Adagrad`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Adagrad {
  private Adagrad() {}

  /// Learning rate 1e-2, epsilon 1e-10, all else 0.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-2).weightDecay(0);
      set(Hyperparameter.LEARNING_RATE_DECAY, 0);
      set(Hyperparameter.INITIAL_ACCUMULATOR, 0);
      set(Hyperparameter.EPSILON, 1e-10);
    }

    /// @param value a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder learningRateDecay(double value) {
      return set(Hyperparameter.LEARNING_RATE_DECAY, value);
    }

    /// @param value the initial value of each sum of squares, a finite number of 0 or more; has no
    ///   effect after a parameter's first step
    /// @throws IllegalArgumentException if it is out of range
    public Builder initialAccumulator(double value) {
      return set(Hyperparameter.INITIAL_ACCUMULATOR, value);
    }

    /// @param value added to the root of the sum, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is not
    public Builder epsilon(double value) {
      return set(Hyperparameter.EPSILON, value);
    }

    @Override
    Rule composition() {
      return Rule.builder().secondMoment(SecondMoment.SUM).decay(Decay.L2).build();
    }
  }
}
