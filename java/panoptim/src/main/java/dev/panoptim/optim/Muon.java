package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Adjustment;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Orthogonalization;
import dev.panoptim.rule.Rule;
import java.util.Objects;

/// Momentum whose direction is orthogonalized, for the weight matrices of hidden layers:
///
///     m = momentum * m + (1 - momentum) * g
///     u = (1 - momentum) * g + momentum * m                 (without nesterov: u = m)
///     w = w - learningRate * weightDecay * w - learningRate * k * orthogonal factor of u
///
/// Newton-Schulz iterations in float32 approximate the orthogonal factor; see [Orthogonalization].
/// k depends on the shape of the matrix; see [Adjustment].
///
/// All parameters need two or more dimensions. With more than two, as in convolutions, the first
/// extent is the number of rows, and the product of the others the number of columns. PyTorch's
/// optimizer accepts two dimensions only. `build()` refuses other parameters by name: biases
/// and gains, and by convention embeddings and the output layer, belong to [AdamW]:
///
/// ```java
/// Optimizer.builder()
///     .group(Muon.builder(hiddenMatrices).learningRate(0.02))
///     .group(AdamW.builder(others).learningRate(3e-4))
///     .build();
/// ```
///
/// A gradient with an element that is not finite makes its whole matrix NaN, unless
/// [StepOptions#skipNonFinite] is set. Besides the state, an optimizer has a workspace of a float for
/// each element of its matrices, and some for the iteration; [Optimizer#close]
/// frees it. Backends of the cpu only.
///
/// Sources: [Jordan and others 2024](https://kellerjordan.github.io/posts/muon/); [Liu and others
/// 2025](https://arxiv.org/abs/2502.16982); PyTorch's `Muon`, which rounds to bfloat16 in the
/// iteration.
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Muon {
  private Muon() {}

  /// Learning rate 1e-3, momentum 0.95, Nesterov, weight decay 0.1, five iterations with the
  /// original coefficients and adjustment.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private boolean nesterov = true;
    private Orthogonalization coefficients = Orthogonalization.ORIGINAL;
    private Adjustment adjustment = Adjustment.ORIGINAL;

    private Builder(Iterable<Parameter> parameters) {
      super(parameters);
      learningRate(1e-3).weightDecay(0.1);
      momentum(0.95).iterations(5);
    }

    /// @param value decay of the averaged gradient, from 0 to 1 exclusively; groups know it as
    ///   [Hyperparameter#BETA1]
    /// @throws IllegalArgumentException if it is out of range
    public Builder momentum(double value) {
      return set(Hyperparameter.BETA1, value);
    }

    /// Whether the direction mixes the averaged gradient with the gradient.
    public Builder nesterov(boolean value) {
      nesterov = value;
      return this;
    }

    /// @param value the coefficients of the iterations
    /// @throws IllegalArgumentException if it is [Orthogonalization#NONE]
    public Builder coefficients(Orthogonalization value) {
      if (value == Orthogonalization.NONE) {
        throw new IllegalArgumentException("coefficients is NONE, but Muon needs a set of them");
      }
      coefficients = Objects.requireNonNull(value, "coefficients is null");
      return this;
    }

    /// @param value the number of Newton-Schulz iterations, from 1 to 100
    /// @throws IllegalArgumentException if it is out of range
    public Builder iterations(int value) {
      return set(Hyperparameter.ITERATIONS, value);
    }

    /// @param value the factor of a matrix by its shape
    public Builder adjustment(Adjustment value) {
      adjustment = Objects.requireNonNull(value, "adjustment is null");
      return this;
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(FirstMoment.MOVING_AVERAGE)
          .nesterov(nesterov ? Nesterov.NESTEROV : Nesterov.NONE)
          .decay(Decay.DECOUPLED)
          .orthogonalization(coefficients)
          .adjustment(adjustment)
          .build();
    }
  }
}
