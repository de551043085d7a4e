package dev.panoptim.server.digits;

import java.util.SplittableRandom;
import java.util.function.IntConsumer;

/// Makes the steps of a model: at the start from the generator alone, later from one taught example
/// each, with others beside it.
///
/// A step from one example alone would make the network forget the other classes.
///
/// To be used by the thread that learns.
final class Teacher {
  private static final int FIRST_BATCH = 32;
  private static final int REMEMBERED = 6;
  private static final int GENERATED = 6;

  /// How much a taught example weighs, beside one each of the others.
  private static final float WEIGHT = 4;

  private static final int MEMORY = 512;

  private final DigitModel model;
  private final DigitGenerator generator;
  private final SplittableRandom random;
  private final Memory memory = new Memory(MEMORY);
  private final Runnable pause;

  /// @param pause called after each example, to let predictions go first
  Teacher(DigitModel model, long seed, Runnable pause) {
    this.model = model;
    this.pause = pause;
    random = new SplittableRandom(seed);
    generator = new DigitGenerator(random.nextLong());
  }

  /// Trains with digits of the generator.
  ///
  /// @param progress gets the number of steps made
  /// @return the mean loss of the last tenth of the steps
  double train(int steps, IntConsumer progress) {
    double sum = 0;
    int counted = 0;
    for (int step = 1; step <= steps; step++) {
      double loss = 0;
      for (int i = 0; i < FIRST_BATCH; i++) {
        loss += learn(generated(), 1f / FIRST_BATCH) / FIRST_BATCH;
      }
      model.step();
      if (step > steps - Math.max(1, steps / 10)) {
        sum += loss;
        counted++;
      }
      progress.accept(step);
    }
    return counted == 0 ? Double.NaN : sum / counted;
  }

  private Example generated() {
    int digit = generator.anyDigit();
    return new Example(generator.pixels(digit), digit);
  }

  private double learn(Example example, float share) {
    double loss = model.addGradients(example, share);
    pause.run();
    return loss;
  }

  /// One step from one example and others beside it.
  Lesson.Result teach(Example example) {
    float share = 1 / (WEIGHT + REMEMBERED + GENERATED);
    double loss = learn(example, WEIGHT * share);
    for (int i = 0; i < REMEMBERED; i++) {
      learn(memory.isEmpty() ? generated() : memory.any(random), share);
    }
    for (int i = 0; i < GENERATED; i++) {
      learn(generated(), share);
    }
    boolean skipped = model.step();
    memory.add(example);
    return new Lesson.Result(loss, skipped);
  }

  /// Forgets the taught examples, whose classes may not exist any more.
  void forget() {
    memory.clear();
  }
}
