package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;

/// The common options of presets with two betas and an epsilon. The defaults are betas 0.9 and
/// 0.999 and epsilon 1e-8, unless the preset has others.
///
/// Not thread-safe.
///
/// @param <B> the preset's own builder
public abstract class MomentsBuilder<B extends MomentsBuilder<B>> extends OptimizerBuilder<B> {
  MomentsBuilder(Iterable<Parameter> parameters) {
    super(parameters);
    betas(0.9, 0.999).epsilon(1e-8);
  }

  /// @param beta1 decay of the first moment, from 0 to 1 exclusively
  /// @param beta2 decay of the second moment, from 0 to 1 exclusively
  /// @throws IllegalArgumentException if one is out of range
  public final B betas(double beta1, double beta2) {
    return setBetas(beta1, beta2);
  }

  /// @param value added to the root of the second moment (Adamax: to the gradient's absolute
  ///   value), a finite number of 0 or more
  /// @throws IllegalArgumentException if it is not
  public final B epsilon(double value) {
    return set(Hyperparameter.EPSILON, value);
  }
}
