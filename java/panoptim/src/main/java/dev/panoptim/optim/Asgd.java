package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.Update;

/// Averaged stochastic gradient descent:
///
///     eta = learningRate / (1 + lambd * learningRate * (t - 1))^power
///     w = w - eta * (lambd + weightDecay) * w - eta * g
///     average = average + (w - average) / max(1, t - 1 - averagingStart)
///
/// The average is the state `parameterAverage`; see [Optimizer#state].
///
/// Sources: [Polyak and Juditsky 1992](https://doi.org/10.1137/0330046); PyTorch's `torch.optim.ASGD`,
/// where power is `alpha` and averagingStart is `t0`. A change of the learning rate takes effect one step
/// later there.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Asgd {
  private Asgd() {}

  /// Learning rate 1e-2, lambd 1e-4, power 0.75, averaging after 1e6 steps, weight decay 0.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-2).weightDecay(0);
      lambd(1e-4).power(0.75).averagingStart(1e6);
    }

    /// @param value the decay of the parameter and of the learning rate, a finite number of 0 or
    ///   more
    /// @throws IllegalArgumentException if it is out of range
    public Builder lambd(double value) {
      return set(Hyperparameter.LAMBD, value);
    }

    /// @param value the power of the decay of the learning rate, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder power(double value) {
      return set(Hyperparameter.POWER, value);
    }

    /// @param value the number of steps before averaging starts, a finite number of 0 or more;
    ///   until then the average is the parameter
    /// @throws IllegalArgumentException if it is out of range
    public Builder averagingStart(double value) {
      return set(Hyperparameter.AVERAGING_START, value);
    }

    @Override
    Rule composition() {
      return Rule.builder().update(Update.AVERAGED).decay(Decay.DECOUPLED).build();
    }
  }
}
