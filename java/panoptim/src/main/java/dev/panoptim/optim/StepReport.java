package dev.panoptim.optim;

import dev.panoptim.device.CudaException;
import dev.panoptim.internal.step.StepOutcome;
import dev.panoptim.internal.step.TrackedParameters;
import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Rule;

/// The result of a step. Each optimizer has one report, which the next step overwrites: to keep a
/// number, copy it. After a step that threw, it describes the updates before the exception.
///
/// On a GPU, the methods for norm, clip factor and skipping wait until the step is done, and throw
/// a [CudaException] if it failed. After [Optimizer#close()] they return the last step's values
/// without waiting.
///
/// Not thread-safe: for the thread that steps.
public final class StepReport {
  private final StepOutcome outcome;
  private final TrackedParameters parameters;

  StepReport(StepOutcome outcome, TrackedParameters parameters) {
    this.outcome = outcome;
    this.parameters = parameters;
  }

  /// Whether the step changed nothing because a gradient was infinite or NaN.
  public boolean skipped() {
    return outcome.skipped();
  }

  /// The common norm of all scaled gradients, before they are clipped to a norm and after
  /// [StepOptions#clipGradAdaptive]. NaN unless [StepOptions#clipGradNorm] or
  /// [StepOptions#skipNonFinite] is set.
  public double norm() {
    return outcome.norm();
  }

  /// The factor that reduced gradients to the largest norm; 1 if the norm was not too large. NaN or
  /// 0 if the norm is NaN or infinite and the step was not skipped.
  public double clipFactor() {
    return outcome.clipFactor();
  }

  /// The factor of a parameter's last step that followed from sums over its elements: the trust
  /// ratio of LAMB and LARS, and the factors of NovoGrad, StableAdamW, Adafactor, MARS and cautious
  /// updates. 1 for all other rules, see [Rule#isMeasured()], and before the parameter's first
  /// step.
  ///
  /// @throws IllegalArgumentException if the parameter does not belong to the optimizer
  public double factor(Parameter parameter) {
    return parameters.find(parameter).factor();
  }

  /// The number of updated parameters, which are those with a gradient.
  public int updatedParameters() {
    return outcome.updatedParameters();
  }

  @Override
  public String toString() {
    if (!outcome.hasNorm()) {
      return "StepReport[" + updatedParameters() + " parameters]";
    }
    return skipped()
        ? "StepReport[skipped: a gradient is not finite]"
        : "StepReport[%s parameters, norm %s, clip factor %s]"
            .formatted(updatedParameters(), norm(), clipFactor());
  }
}
