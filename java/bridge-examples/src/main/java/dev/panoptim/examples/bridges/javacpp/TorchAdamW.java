package dev.panoptim.examples.bridges.javacpp;

import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.Module;

/// `torch::optim::AdamW`.
final class TorchAdamW implements PerceptronOptimizer {
  private final AdamW optimizer;

  TorchAdamW(Module module, double learningRate) {
    optimizer = new AdamW(module.parameters(), new AdamWOptions(learningRate));
  }

  @Override
  public void dropGradients() {
    optimizer.zero_grad();
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
