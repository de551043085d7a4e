package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import dev.panoptim.rule.TensorFactor;

/// Adam with much less state: of a matrix of n rows and k columns, only n + k numbers are kept. With
/// the decay `b = 1 - t^beta2Decay`, which is 0 at the first step:
///
///     R = b * R + (1 - b) * mean of each row of g * g;   C likewise of columns
///     v = R * C / max(mean(R), epsilon)
///     u = g / max(sqrt(v), epsilon)
///     rate = min(learningRate, 1 / sqrt(t))
///     size = max(epsilon2, rms(w)) / max(1, rms(u) / clipThreshold)
///     w = w - learningRate * weightDecay * w - rate * size * u
///
/// where rms is the root mean square over the tensor. Of a parameter of more than two dimensions,
/// the last two are those of a matrix, and each of its matrices is factored by itself. That takes
/// long where matrices are small, as in convolutions. Of a parameter of less than two dimensions, v
/// is the moving average of `g * g` itself.
///
/// [#transformers] has the other common form:
///
///     R and C are means of g * g + epsilon;   v = R * C / mean(R);   u = g / sqrt(v)
///     w = w - rate * max(epsilon2, rms(w)) * weightDecay * w - rate * size * u
///
/// An element of a gradient that is not finite makes its whole tensor NaN, unless
/// [StepOptions#skipNonFinite] is set. Besides the state, an optimizer has a workspace of a float
/// for each element of its largest parameter, but at least for 2^20 elements if it has as many. Its
/// sums take more: for each row 4 bytes, and 8 for every 16384 columns begun; for each column 4
/// bytes, and 8 for every 64 rows begun, of the largest matrix. [Optimizer#close] frees all of it.
/// Backends of the cpu only. [StepReport#factor] returns `size`.
///
/// Sources: [Shazeer and Stern 2018](https://arxiv.org/abs/1804.04235);
/// [PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.optim.Adafactor.html);
/// [Transformers](https://huggingface.co/docs/transformers/main_classes/optimizer_schedules).
///
/// The builder is not thread-safe; see [Optimizer] for the thread-safety of optimizers.
public final class Adafactor {
  private Adafactor() {}

  /// As in PyTorch: learning rate 1e-2, beta2 decay -0.8, epsilon 2^-23, epsilon2 1e-3, clip
  /// threshold 1, weight decay 0.
  public static Builder builder(Iterable<Parameter> parameters) {
    return new Builder(parameters, false).epsilon(0x1p-23);
  }

  /// As in Transformers: learning rate 1e-2, beta2 decay -0.8, epsilon 1e-30, epsilon2 1e-3, clip
  /// threshold 1, weight decay 0.
  public static Builder transformers(Iterable<Parameter> parameters) {
    return new Builder(parameters, true).epsilon(1e-30);
  }

  /// The options.
  public static final class Builder extends OptimizerBuilder<Builder> {
    private final boolean transformers;
    private boolean scaleParameter = true;
    private boolean momentum;

    private Builder(Iterable<Parameter> parameters, boolean transformers) {
      super(parameters);
      this.transformers = transformers;
      learningRate(1e-2).weightDecay(0);
      beta2Decay(-0.8).epsilon2(1e-3).clipThreshold(1).relativeStep(true);
    }

    /// @param value the power of the step's number in the second moment's decay, a finite number of
    ///   0 or less
    /// @throws IllegalArgumentException if it is not
    public Builder beta2Decay(double value) {
      return set(Hyperparameter.BETA2_DECAY, value);
    }

    /// With 0, a gradient of 0 may make its tensor NaN.
    ///
    /// @param value the least root of the second moment, or with [Adafactor#transformers] added to
    ///   each square of a gradient; a finite number of 0 or more
    /// @throws IllegalArgumentException if it is not
    public Builder epsilon(double value) {
      return set(Hyperparameter.EPSILON, value);
    }

    /// @param value the least root mean square of a parameter, so that zeros can change; a finite
    ///   number of 0 or more
    /// @throws IllegalArgumentException if it is not
    public Builder epsilon2(double value) {
      return set(Hyperparameter.EPSILON2, value);
    }

    /// @param value the largest root mean square of u, a finite number of 1 or more
    /// @throws IllegalArgumentException if it is not
    public Builder clipThreshold(double value) {
      return set(Hyperparameter.CLIP_THRESHOLD, value);
    }

    /// Whether the learning rate is at most `1 / sqrt(t)`. Groups know it as
    /// [Hyperparameter#RELATIVE_STEP], which is 1 then, and else as large as a float can be.
    public Builder relativeStep(boolean value) {
      return set(Hyperparameter.RELATIVE_STEP, value ? 1 : Float.MAX_VALUE);
    }

    /// Whether the step is multiplied by `max(epsilon2, rms(w))`.
    public Builder scaleParameter(boolean value) {
      scaleParameter = value;
      return this;
    }

    /// Replaces `rate * size * u` by its moving average, for which there is a state of a float for
    /// each element.
    ///
    /// @param value decay of the average, from 0 to 1 exclusively
    /// @throws IllegalArgumentException if it is out of range
    public Builder beta1(double value) {
      set(Hyperparameter.BETA1, value);
      momentum = true;
      return this;
    }

    private TensorFactor tensorFactor() {
      if (transformers) {
        return scaleParameter
            ? TensorFactor.PARAMETER_SIZE_AND_DECAY
            : TensorFactor.CLIPPED_DIRECTION_LIMITED_DECAY;
      }
      return scaleParameter ? TensorFactor.PARAMETER_SIZE : TensorFactor.CLIPPED_DIRECTION;
    }

    @Override
    Rule composition() {
      return Rule.builder()
          .firstMoment(momentum ? FirstMoment.MOVING_AVERAGE : FirstMoment.NONE)
          .momentumLast(momentum)
          .secondMoment(SecondMoment.FACTORED_AVERAGE)
          .epsilonInside(transformers)
          .tensorFactor(tensorFactor())
          .decay(Decay.DECOUPLED)
          .build();
    }
  }
}
