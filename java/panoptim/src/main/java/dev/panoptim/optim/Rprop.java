package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.Update;

/// Resilient backpropagation, which uses only the sign of a gradient. It is meant for gradients over the
/// whole data set:
///
///     if g * g before > 0:  size = min(size * etaPlus, largest)
///     if g * g before < 0:  size = max(size * etaMinus, smallest), g = 0
///     w = w - sign(g) * size
///
/// The gradient g after these lines is g before of the next step. The sizes start at the learning rate,
/// which has no effect afterwards. There is no weight decay.
///
/// Sources: [Riedmiller and Braun 1993](https://doi.org/10.1109/ICNN.1993.298623); PyTorch's
/// `torch.optim.Rprop`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Rprop {
  private Rprop() {}

  /// Learning rate 1e-2, etas 0.5 and 1.2, sizes from 1e-6 to 50.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-2);
      etas(0.5, 1.2).stepSizes(1e-6, 50);
    }

    /// @param etaMinus the factor of a size if the sign has changed, from 0 to 1 exclusively
    /// @param etaPlus the factor of a size if the sign has not changed, a finite number of 1 or
    ///   more
    /// @throws IllegalArgumentException if one is out of range
    public Builder etas(double etaMinus, double etaPlus) {
      Hyperparameter.ETA_PLUS.check(etaPlus);
      set(Hyperparameter.ETA_MINUS, etaMinus);
      return set(Hyperparameter.ETA_PLUS, etaPlus);
    }

    /// @param smallest the smallest size, a finite number of 0 or more
    /// @param largest the largest size, a finite number; [#build()] requires that it is not below
    ///   the smallest
    /// @throws IllegalArgumentException if one is out of range
    public Builder stepSizes(double smallest, double largest) {
      Hyperparameter.LARGEST_STEP.check(largest);
      set(Hyperparameter.SMALLEST_STEP, smallest);
      return set(Hyperparameter.LARGEST_STEP, largest);
    }

    @Override
    Rule composition() {
      return Rule.builder().update(Update.SIGN_STEPS).build();
    }
  }
}
