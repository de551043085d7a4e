package dev.panoptim.examples.bridges;

import java.util.List;

/// A library that trains models, with its own optimizer and with Panoptim's.
public interface ComparedLibrary {
  /// Name and version, such as `DJL 0.36.0`.
  String name();

  /// The library's own optimizer, such as `DJL's Adam`.
  String ownOptimizer();

  /// Panoptim's optimizer of the same kind.
  default String panoptimOptimizer() {
    return "Panoptim's Adam";
  }

  /// A new model that the library's own optimizer trains, with the learning rate of the size, betas
  /// 0.9 and 0.999, and epsilon 1e-8.
  TrainingSide own(TrainingSetup setup);

  /// A new model that Panoptim's optimizer trains, with the same hyperparameters.
  TrainingSide panoptim(TrainingSetup setup);

  /// Lines for the end of the report, such as further measurements. Called after the comparisons.
  default List<String> remarks() {
    return List.of();
  }
}
