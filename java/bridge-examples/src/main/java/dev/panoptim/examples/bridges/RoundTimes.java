package dev.panoptim.examples.bridges;

/// The times of one round of one side.
///
/// @param steps number of training steps
/// @param nanos time of the whole training
/// @param optimizerNanos time of the optimizer's steps
record RoundTimes(int steps, long nanos, long optimizerNanos) {
  double stepsPerSecond() {
    return 1e9 * steps / nanos;
  }

  /// The optimizer's share of the training, from 0 to 1.
  double optimizerShare() {
    return (double) optimizerNanos / nanos;
  }

  double optimizerMicros() {
    return optimizerNanos / 1e3 / steps;
  }
}
