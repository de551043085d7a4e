package dev.panoptim.examples.bridges;

/// A model of a library with one optimizer, and the training data. Two sides with the same model,
/// parameters and data are compared.
///
/// Not thread-safe.
public interface TrainingSide extends AutoCloseable {
  /// Makes one training step: the gradient of the mean cross-entropy of a batch, then the step of
  /// the optimizer.
  ///
  /// @param batch index of the batch: batch `i` of [TrainingSetup#training] has the pictures from
  ///   `i * batchSize`
  void step(int batch);

  /// The time that steps of the optimizer have taken since the side was created, in nanoseconds.
  /// The time of finding gradients and of zeroing them is part of it.
  long optimizerNanos();

  /// The mean cross-entropy of the last batch, before its step.
  double loss();

  /// The scores that the model gives each class of each picture, as [Digits#accuracy] takes them.
  float[] scores(Digits digits);

  @Override
  void close();
}
