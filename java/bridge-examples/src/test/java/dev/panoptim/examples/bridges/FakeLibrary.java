package dev.panoptim.examples.bridges;

import java.util.ArrayList;
import java.util.List;

/// A library whose steps take a fixed time and whose model knows the right answers.
final class FakeLibrary implements ComparedLibrary {
  /// The steps of both sides, in their order: the side's name and the batch.
  final List<String> steps = new ArrayList<>();

  final List<String> closed = new ArrayList<>();
  final List<TrainingSetup> setups = new ArrayList<>();

  @Override
  public String name() {
    return "Fake 1.0";
  }

  @Override
  public String ownOptimizer() {
    return "Fake's Adam";
  }

  @Override
  public TrainingSide own(TrainingSetup setup) {
    setups.add(setup);
    return new FakeSide("own", 4_000);
  }

  @Override
  public TrainingSide panoptim(TrainingSetup setup) {
    setups.add(setup);
    return new FakeSide("panoptim", 1_000);
  }

  @Override
  public List<String> remarks() {
    return List.of("A remark.");
  }

  private final class FakeSide implements TrainingSide {
    private final String name;
    private final long stepNanos;
    private long nanos;

    FakeSide(String name, long stepNanos) {
      this.name = name;
      this.stepNanos = stepNanos;
    }

    @Override
    public void step(int batch) {
      steps.add(name + " " + batch);
      nanos += stepNanos;
    }

    @Override
    public long optimizerNanos() {
      return nanos;
    }

    @Override
    public double loss() {
      return 1.0 / nanos;
    }

    @Override
    public float[] scores(Digits digits) {
      int[] labels = digits.labels(0, digits.count());
      float[] scores = new float[labels.length * Digits.CLASSES];
      for (int i = 0; i < labels.length; i++) {
        scores[i * Digits.CLASSES + labels[i]] = 1;
      }
      return scores;
    }

    @Override
    public void close() {
      closed.add(name);
    }
  }
}
