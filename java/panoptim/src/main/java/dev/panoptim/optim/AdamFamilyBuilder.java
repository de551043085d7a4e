package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// The options that Adam and AdamW share; they differ in how weight decay acts.
///
/// @param <B> the preset's own builder
public abstract sealed class AdamFamilyBuilder<B extends AdamFamilyBuilder<B>>
    extends OptimizerBuilder<B> permits Adam.Builder, AdamW.Builder {
  private final Decay decay;
  private boolean amsgrad;

  AdamFamilyBuilder(Iterable<Parameter> parameters, Decay decay) {
    super(parameters);
    this.decay = decay;
    learningRate(1e-3);
    setBetas(0.9, 0.999);
    set(Hyperparameter.EPSILON, 1e-8);
  }

  /// @param beta1 decay of the first moment, from 0 to 1 exclusively
  /// @param beta2 decay of the second moment, from 0 to 1 exclusively
  /// @throws IllegalArgumentException if one is out of range
  public final B betas(double beta1, double beta2) {
    return setBetas(beta1, beta2);
  }

  /// @param value added to the root of the second moment, a finite number of 0 or more
  /// @throws IllegalArgumentException if it is not
  public final B epsilon(double value) {
    return set(Hyperparameter.EPSILON, value);
  }

  /// Divides by the root of the largest second moment so far.
  public final B amsgrad(boolean value) {
    amsgrad = value;
    return self();
  }

  @Override
  final Rule rule() {
    return Rule.builder()
        .firstMoment(FirstMoment.MOVING_AVERAGE)
        .secondMoment(amsgrad ? SecondMoment.MAXIMUM_OF_AVERAGE : SecondMoment.MOVING_AVERAGE)
        .biasCorrection(true)
        .decay(decay)
        .maximize(maximizes())
        .build();
  }
}
