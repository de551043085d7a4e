package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// Adam with a second moment that a step changes in proportion to the squared gradient, whatever the
/// size of the moment:
///
///     g = g + weightDecay * w
///     m = beta1 * m + (1 - beta1) * g
///     v = v - (1 - beta2) * sign(v - g * g) * g * g
///     w = w - learningRate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// Both moments start at `initialAccumulator`; the bias corrections are those of moments that start at 0.
///
/// Sources: [Zaheer and others
/// 2018](https://papers.nips.cc/paper/2018/hash/90365351ccc7437a1309dc64e4db32a3-Abstract.html);
/// optax's `yogi`.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Yogi {
  private Yogi() {}

  /// Learning rate 1e-2, betas 0.9 and 0.999, epsilon 1e-3, moments that start at 1e-6, no decay.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends MomentsBuilder<Builder> {
    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-2).weightDecay(0).epsilon(1e-3);
      initialAccumulator(1e-6);
    }

    /// @param value the initial value of both moments, a finite number of 0 or more
    /// @throws IllegalArgumentException if it is out of range
    public Builder initialAccumulator(double value) {
      return set(Hyperparameter.INITIAL_ACCUMULATOR, value);
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .secondMoment(SecondMoment.SIGNED_AVERAGE)
          .biasCorrection(true)
          .decay(Decay.L2)
          .build();
    }
  }
}
