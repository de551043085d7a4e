package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.Update;

/// The common options of SGD and SGDW, which differ in the kind of weight decay.
///
/// Not thread-safe.
///
/// @param <B> the preset's own builder
public abstract class SgdFamilyBuilder<B extends SgdFamilyBuilder<B>> extends OptimizerBuilder<B> {
  private final Decay decay;
  private boolean nesterov;
  private boolean cautious;
  private boolean averages;

  SgdFamilyBuilder(Iterable<Parameter> parameters, Decay decay) {
    super(parameters);
    this.decay = decay;
    learningRate(1e-3).momentum(0).dampening(0).weightDecay(0);
  }

  /// @param value from 0 to 1; at 0 there is no momentum, not even with a group's override
  /// @throws IllegalArgumentException if it is out of range
  public final B momentum(double value) {
    return set(Hyperparameter.MOMENTUM, value);
  }

  /// @param value from 0 to 1
  /// @throws IllegalArgumentException if it is out of range
  public final B dampening(double value) {
    return set(Hyperparameter.DAMPENING, value);
  }

  /// Whether to use Nesterov momentum. [#build()] requires a momentum above 0 and a dampening of 0.
  public final B nesterov(boolean value) {
    nesterov = value;
    return self();
  }

  /// Uses a moving average, `m = beta * m + (1 - beta) * g` from 0, instead of PyTorch's momentum;
  /// groups know beta as [Hyperparameter#BETA1].
  ///
  /// @param beta from 0 to 1 exclusively
  /// @throws IllegalArgumentException if it is out of range
  public final B averagedMomentum(double beta) {
    averages = true;
    return set(Hyperparameter.BETA1, beta);
  }

  /// Whether only elements move whose direction has the sign of their gradient; see
  /// [Update#CAUTIOUS]. Needs momentum.
  public final B cautious(boolean value) {
    cautious = value;
    return self();
  }

  @Override
  final Rule composition() {
    double momentum = get(Hyperparameter.MOMENTUM);
    if (averages && momentum != 0) {
      throw new IllegalArgumentException(
          "averagedMomentum replaces momentum, so momentum must be 0, but is " + momentum);
    }
    FirstMoment heavyBall = momentum == 0 && !nesterov ? FirstMoment.NONE : FirstMoment.HEAVY_BALL;
    return Rule.builder()
        .firstMoment(averages ? FirstMoment.MOVING_AVERAGE : heavyBall)
        .nesterov(nesterov ? Nesterov.NESTEROV : Nesterov.NONE)
        .decay(decay)
        .update(cautious ? Update.CAUTIOUS : Update.DESCENT)
        .build();
  }
}
