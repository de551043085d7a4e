package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import dev.panoptim.rule.Update;

/// FTRL-Proximal, "follow the regularised leader", for sparse linear models:
///
///     n = n before + g * g
///     z = z + g - (sqrt(n) - sqrt(n before)) / learningRate * w
///     w = (clamp(z, l1) - z) / ((beta + sqrt(n)) / learningRate + 2 * l2)
///
/// An L1 penalty makes parameters exactly 0. The penalties replace weight decay.
///
/// Sources: [McMahan and others 2013](https://research.google/pubs/pub41159/); TensorFlow's and Keras's
/// `Ftrl`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Ftrl {
  private Ftrl() {}

  /// Learning rate 1e-3, which must be above 0; n starts at 0.1; no penalties, beta 0.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3);
      initialAccumulator(0.1).l1(0).l2(0).beta(0);
    }

    /// @param value the initial value of n, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder initialAccumulator(double value) {
      return set(Hyperparameter.INITIAL_ACCUMULATOR, value);
    }

    /// @param value the factor of `|w|` in the loss, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder l1(double value) {
      return set(Hyperparameter.L1, value);
    }

    /// @param value the factor of `w * w` in the loss, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder l2(double value) {
      return set(Hyperparameter.L2, value);
    }

    /// @param value added to the root of n, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder beta(double value) {
      return set(Hyperparameter.BETA, value);
    }

    @Override
    Rule composition() {
      return Rule.builder().secondMoment(SecondMoment.SUM).update(Update.PROXIMAL).build();
    }
  }
}
