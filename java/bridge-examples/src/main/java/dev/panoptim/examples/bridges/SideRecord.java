package dev.panoptim.examples.bridges;

import java.util.ArrayList;
import java.util.List;

/// One side of a comparison with its measurements.
///
/// Not thread-safe.
final class SideRecord {
  /// Reading a loss may wait for the library, so that not each step does it.
  static final int STEPS_PER_LOSS = 5;

  private final String name;
  private final TrainingSide side;
  private final List<RoundTimes> rounds = new ArrayList<>();
  private final List<Double> losses = new ArrayList<>();
  private long steps;

  SideRecord(String name, TrainingSide side) {
    this.name = name;
    this.side = side;
  }

  /// Makes a training step for each batch.
  ///
  /// @param measured whether the times count; they do not in a warm-up
  void train(int[] batches, boolean measured) {
    long optimizer = side.optimizerNanos();
    long start = System.nanoTime();
    for (int batch : batches) {
      side.step(batch);
      if (steps++ % STEPS_PER_LOSS == 0) {
        losses.add(side.loss());
      }
    }
    long nanos = System.nanoTime() - start;
    if (measured) {
      rounds.add(new RoundTimes(batches.length, nanos, side.optimizerNanos() - optimizer));
    }
  }

  String name() {
    return name;
  }

  TrainingSide side() {
    return side;
  }

  List<RoundTimes> rounds() {
    return List.copyOf(rounds);
  }

  /// The loss of every [#STEPS_PER_LOSS]th step, warm-up included.
  List<Double> losses() {
    return List.copyOf(losses);
  }
}
