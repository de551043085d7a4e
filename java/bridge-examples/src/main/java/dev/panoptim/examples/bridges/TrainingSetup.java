package dev.panoptim.examples.bridges;

import java.util.List;

/// What both sides of a comparison begin with.
///
/// @param parameters of [ModelSize#initialParameters]; a side copies them
/// @param training the training data; a side prepares all batches once, before any time is measured
/// @param batchSize pictures of a batch
public record TrainingSetup(
    ModelSize size, List<float[]> parameters, Digits training, int batchSize) {
  /// Number of whole batches.
  public int batches() {
    return training.count() / batchSize;
  }
}
