package dev.panoptim.examples.bridges;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/// Trains one model with a library's own optimizer and with Panoptim's, in one process, in rounds
/// that take turns. Both sides begin with the same parameters and see the same batches.
final class Comparison {
  /// @param rounds measured rounds of each side
  /// @param warmUps rounds before them
  /// @param steps training steps of a round
  /// @param seed of data, parameters and the order of batches
  record Settings(
      int training, int test, int batchSize, int rounds, int warmUps, int steps, long seed) {
    /// Training steps of both sides together.
    int allSteps() {
      return 2 * (rounds + warmUps) * steps;
    }
  }

  /// The measurements of one model.
  ///
  /// @param ownAccuracy on test data, from 0 to 1
  /// @param stepRatios for each round: the time of the library's own optimizer / Panoptim's
  /// @param wholeRatios for each round: the time of the training with the library's own optimizer /
  ///   with Panoptim's
  record Result(
      ModelSize size,
      SideRecord own,
      SideRecord panoptim,
      double ownAccuracy,
      double panoptimAccuracy,
      List<Double> stepRatios,
      List<Double> wholeRatios) {}

  private final ComparedLibrary library;
  private final ModelSize size;
  private final Settings settings;

  Comparison(ComparedLibrary library, ModelSize size, Settings settings) {
    this.library = library;
    this.size = size;
    this.settings = settings;
  }

  /// @param progress is told the number of steps after each round of a side
  Result run(IntConsumer progress) {
    // Three streams of random numbers: the number of pictures does not change the parameters.
    SplittableRandom seeds = new SplittableRandom(settings.seed());
    Digits training = Digits.generate(settings.training(), seeds.nextLong());
    Digits test = Digits.generate(settings.test(), seeds.nextLong());
    TrainingSetup setup =
        new TrainingSetup(
            size, size.initialParameters(seeds.nextLong()), training, settings.batchSize());
    try (TrainingSide ownSide = library.own(setup);
        TrainingSide panoptimSide = library.panoptim(setup)) {
      SideRecord own = new SideRecord(library.ownOptimizer(), ownSide);
      SideRecord panoptim = new SideRecord(library.panoptimOptimizer(), panoptimSide);
      BatchOrder order = new BatchOrder(setup.batches(), seeds.split());
      for (int round = 0; round < settings.warmUps() + settings.rounds(); round++) {
        int[] batches = IntStream.range(0, settings.steps()).map(_ -> order.next()).toArray();
        boolean measured = round >= settings.warmUps();
        // Neither side is always the one that runs after the other.
        List<SideRecord> turns = round % 2 == 0 ? List.of(own, panoptim) : List.of(panoptim, own);
        for (SideRecord each : turns) {
          each.train(batches, measured);
          progress.accept(batches.length);
        }
      }
      return new Result(
          size,
          own,
          panoptim,
          test.accuracy(ownSide.scores(test)),
          test.accuracy(panoptimSide.scores(test)),
          ratios(own, panoptim, true),
          ratios(own, panoptim, false));
    }
  }

  private static List<Double> ratios(SideRecord own, SideRecord panoptim, boolean ofOptimizer) {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < own.rounds().size(); i++) {
      RoundTimes a = own.rounds().get(i);
      RoundTimes b = panoptim.rounds().get(i);
      ratios.add(
          ofOptimizer
              ? (double) a.optimizerNanos() / b.optimizerNanos()
              : (double) a.nanos() / b.nanos());
    }
    return ratios;
  }
}
