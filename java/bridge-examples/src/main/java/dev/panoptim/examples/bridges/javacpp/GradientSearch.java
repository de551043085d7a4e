package dev.panoptim.examples.bridges.javacpp;

import dev.panoptim.examples.bridges.Digits;
import dev.panoptim.examples.bridges.ModelSize;
import dev.panoptim.examples.bridges.Quartiles;
import dev.panoptim.javacpp.TorchParameters;
import dev.panoptim.memory.Parameter;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// The time of finding the gradient of a tensor.
///
/// @param microsKept median time for each tensor, in microseconds, of gradients that are where they
///   were before
/// @param microsMoved the same right after a backward pass that has allocated new gradients
record GradientSearch(double microsKept, double microsMoved) {
  private static final int ROUNDS = 4000;

  /// Rounds before the measured ones, until the methods are compiled.
  private static final int WARM_UPS = 2000;

  private static final double NANOS_PER_MICRO = 1e3;

  static GradientSearch measure() {
    ModelSize size = ModelSize.SMALL;
    Perceptron model = new Perceptron(size, size.initialParameters(1));
    List<Parameter> parameters = TorchParameters.of(model.named_parameters()).all();
    Tensor pictures = torch.ones(1, Digits.PIXELS);
    double[] kept = new double[ROUNDS];
    double[] moved = new double[ROUNDS];
    for (int i = -WARM_UPS; i < ROUNDS; i++) {
      try (PointerScope _ = new PointerScope()) {
        model.zero_grad(true);
        model.forward(pictures).sum().backward();
      }
      int round = Math.max(i, 0);
      moved[round] = find(parameters);
      kept[round] = find(parameters);
    }
    return new GradientSearch(Quartiles.median(kept), Quartiles.median(moved));
  }

  /// Microseconds for each parameter.
  private static double find(List<Parameter> parameters) {
    long start = System.nanoTime();
    for (Parameter each : parameters) {
      each.updateGradient();
    }
    return (System.nanoTime() - start) / NANOS_PER_MICRO / parameters.size();
  }
}
