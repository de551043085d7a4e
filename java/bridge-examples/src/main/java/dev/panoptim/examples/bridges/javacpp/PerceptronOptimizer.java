package dev.panoptim.examples.bridges.javacpp;

/// What a training needs of an optimizer.
interface PerceptronOptimizer extends AutoCloseable {
  /// Drops all gradients.
  void dropGradients();

  void step();

  @Override
  void close();
}
