package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;

/// The common options of Adam and AdamW, which differ in the kind of weight decay.
///
/// Not thread-safe.
///
/// @param <B> the preset's own builder
public abstract class AdamFamilyBuilder<B extends AdamFamilyBuilder<B>> extends MomentsBuilder<B> {
  private final Decay decay;
  private boolean amsgrad;

  AdamFamilyBuilder(Iterable<Parameter> parameters, Decay decay) {
    super(parameters);
    this.decay = decay;
    learningRate(1e-3);
  }

  /// Divides by the root of the largest second moment so far.
  public final B amsgrad(boolean value) {
    amsgrad = value;
    return self();
  }

  @Override
  final Rule composition() {
    return Rule.builder()
        .firstMoment(FirstMoment.MOVING_AVERAGE)
        .secondMoment(amsgrad ? SecondMoment.MAXIMUM_OF_AVERAGE : SecondMoment.MOVING_AVERAGE)
        .biasCorrection(true)
        .decay(decay)
        .build();
  }
}
