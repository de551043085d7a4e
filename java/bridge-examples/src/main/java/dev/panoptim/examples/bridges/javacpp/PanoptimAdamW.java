package dev.panoptim.examples.bridges.javacpp;

import dev.panoptim.javacpp.TorchParameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import org.bytedeco.pytorch.Module;

/// Panoptim's AdamW for a module of libtorch.
final class PanoptimAdamW implements PerceptronOptimizer {
  private final Optimizer optimizer;

  PanoptimAdamW(Module module, double learningRate) {
    TorchParameters parameters = TorchParameters.of(module.named_parameters());
    optimizer = AdamW.builder(parameters).learningRate(learningRate).build();
  }

  @Override
  public void dropGradients() {
    optimizer.zeroGrad(true);
  }

  @Override
  public void step() {
    optimizer.step();
  }

  @Override
  public void close() {
    optimizer.close();
  }
}
