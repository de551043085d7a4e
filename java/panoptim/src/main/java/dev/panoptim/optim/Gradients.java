package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.GradientNorm;
import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Clips gradients in place, as PyTorch's functions of the same names do. Within a step,
/// [StepOptions] do it in the same pass over memory and leave the gradients as they are.
///
/// Parameters without a gradient are skipped; all others must be on one device. Gradients on a GPU
/// are copied to the host, changed there and copied back, after all earlier work of the GPU's
/// default stream. [StepOptions] clip on the GPU itself. Thread-safe, unless other threads use the
/// gradients at the same time.
public final class Gradients {
  private Gradients() {}

  /// Scales all gradients down so that their common norm is `maxNorm`, if it is larger. The norm
  /// has the same bits as [StepReport#norm].
  ///
  /// @param maxNorm a number above 0; if it is infinite, the norm is only computed
  /// @return the norm before scaling; if it is infinite or NaN, the gradients stay unchanged
  /// @throws IllegalArgumentException if `maxNorm` is not above 0, or a gradient is read-only; none
  ///   has been changed then
  /// @throws IllegalStateException if the arena of a gradient has been closed
  public static double clipGradNorm(Iterable<Parameter> parameters, double maxNorm) {
    requirePositive("maxNorm", maxNorm);
    List<Parameter> clipped = withGradient(parameters);
    double norm = norm(clipped);
    if (norm > maxNorm && norm < Double.POSITIVE_INFINITY) {
      float factor = (float) (maxNorm / norm);
      for (Parameter each : clipped) {
        change(each, x -> factor * x);
      }
    }
    return norm;
  }

  /// Clamps each element of all gradients to `[-clipValue, clipValue]`. NaN stays NaN.
  ///
  /// @param clipValue a number above 0
  /// @throws IllegalArgumentException if `clipValue` is not above 0, or a gradient is read-only;
  ///   none has been changed then
  /// @throws IllegalStateException if the arena of a gradient has been closed
  public static void clipGradValue(Iterable<Parameter> parameters, double clipValue) {
    requirePositive("clipValue", clipValue);
    float bound = (float) clipValue;
    for (Parameter each : withGradient(parameters)) {
      change(each, x -> Math.clamp(x, -bound, bound));
    }
  }

  private interface Change {
    float of(float x);
  }

  private static void change(Parameter parameter, Change change) {
    Device device = parameter.device();
    MemorySegment gradient = device.readable(parameter.gradient(), parameter.size() * Float.BYTES);
    for (long i = 0; i < parameter.size(); i++) {
      gradient.setAtIndex(JAVA_FLOAT, i, change.of(gradient.getAtIndex(JAVA_FLOAT, i)));
    }
    if (!device.isCpu()) {
      device.upload(gradient, parameter.gradient());
    }
  }

  private static void requirePositive(String name, double value) {
    if (!(value > 0)) {
      throw new IllegalArgumentException(name + " is " + value + ", but must be above 0");
    }
  }

  private static List<Parameter> withGradient(Iterable<Parameter> parameters) {
    List<Parameter> all = new ArrayList<>();
    for (Parameter each : parameters) {
      each.updateGradient();
      if (each.hasGradient()) {
        all.add(each);
        TensorChecks.require(
            each.device(), "gradient of '" + each.name() + "'", each.size(), each.gradient(), true);
        if (each.device() != all.getFirst().device()) {
          throw new IllegalArgumentException(
              "parameter '%s' is on %s, but must be on %s as those before it"
                  .formatted(each.name(), each.device(), all.getFirst().device()));
        }
      }
    }
    return all;
  }

  private static double norm(List<Parameter> parameters) {
    Device device = parameters.isEmpty() ? Device.cpu() : parameters.getFirst().device();
    return GradientNorm.of(parameters, Engine.of(Backends.of(device)));
  }
}
