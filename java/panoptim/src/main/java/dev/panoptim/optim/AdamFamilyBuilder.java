package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import dev.panoptim.rule.Update;

/// The common options of Adam and AdamW, which differ in the kind of weight decay.
///
/// Not thread-safe.
///
/// @param <B> the preset's own builder
public abstract class AdamFamilyBuilder<B extends AdamFamilyBuilder<B>> extends MomentsBuilder<B> {
  private final Decay decay;
  private boolean amsgrad;
  private boolean epsilonBeforeCorrection;
  private boolean cautious;

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

  /// Whether epsilon is added to the root of the second moment before the bias correction,
  ///
  ///     w = w - learningRate * root(1 - beta2^t) / (1 - beta1^t) * m / (root(v) + epsilon)
  ///
  /// as [TensorFlow and Keras](https://keras.io/api/optimizers/adam/), DJL and Deeplearning4j do it,
  /// instead of after it as PyTorch does. The two differ where gradients are so small that epsilon
  /// counts: the effect of the same epsilon is greater by `1 / root(1 - beta2^t)` before. The
  /// default is `false`.
  ///
  /// Source: the end of section 2 of [Kingma and Ba 2015](https://arxiv.org/abs/1412.6980), where
  /// this epsilon has a hat.
  public final B epsilonBeforeCorrection(boolean value) {
    epsilonBeforeCorrection = value;
    return self();
  }

  /// Whether only elements move whose direction has the sign of their gradient; see
  /// [Update#CAUTIOUS]. Not with [#amsgrad].
  public final B cautious(boolean value) {
    cautious = value;
    return self();
  }

  @Override
  final Rule composition() {
    return Rule.builder()
        .firstMoment(FirstMoment.MOVING_AVERAGE)
        .secondMoment(amsgrad ? SecondMoment.MAXIMUM_OF_AVERAGE : SecondMoment.MOVING_AVERAGE)
        .biasCorrection(true)
        .epsilonBeforeCorrection(epsilonBeforeCorrection)
        .decay(decay)
        .update(cautious ? Update.CAUTIOUS : Update.DESCENT)
        .build();
  }
}
