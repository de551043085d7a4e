package dev.panoptim.server.digits;

import dev.panoptim.checkpoint.Checkpoint;
import dev.panoptim.checkpoint.CheckpointFolder;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.function.IntConsumer;

/// Predictions, lessons and their figures.
///
/// Thread-safe.
public final class DigitService implements AutoCloseable {
  /// Predictions at the same time; more are refused.
  public static final int MOST_AT_ONCE = 256;

  private static final Duration FIGURES_OVER = Duration.ofSeconds(10);
  private static final double MEDIAN = 0.5;
  private static final double NEAR_WORST = 0.99;

  private final DigitModel model;
  private final Learner learner;
  private final Courtesy courtesy;
  private final Scores scores = new Scores();
  private final Semaphore places = new Semaphore(MOST_AT_ONCE);
  private final Timer timer;
  private final Counter torn;

  /// How a service starts.
  ///
  /// @param trainingSteps from the generator, if there is no checkpoint
  /// @param folder for checkpoints; the newest one in it is the start
  /// @param keep how many checkpoints stay in the folder
  /// @param courtesy for predictions
  public record Start(
      LearningSettings settings,
      int trainingSteps,
      long seed,
      Path folder,
      int keep,
      Courtesy courtesy) {}

  /// Trains a network, or loads a checkpoint, and starts the learner.
  ///
  /// @param progress gets the number of training steps made
  public DigitService(Start start, MeterRegistry registry, IntConsumer progress) {
    courtesy = start.courtesy();
    timer =
        Timer.builder("server.predictions")
            .description("Predictions of digits")
            .publishPercentiles(MEDIAN, NEAR_WORST)
            .percentilePrecision(2)
            .distributionStatisticExpiry(FIGURES_OVER)
            .register(registry);
    torn =
        Counter.builder("server.predictions.torn")
            .description("Predictions from a mix of two steps")
            .register(registry);
    model = new DigitModel(start.settings(), start.seed());
    Teacher teacher = new Teacher(model, start.seed(), courtesy::pause);
    CheckpointFolder folder = CheckpointFolder.of(start.folder(), start.keep());
    try {
      learner =
          new Learner(
              model, teacher, folder, prepare(start, teacher, folder, progress), scores::learnt);
    } catch (RuntimeException e) {
      model.close();
      throw e;
    }
    Gauge.builder("server.learner.waiting", learner, Learner::waiting)
        .description("Pieces of work that wait for the learner")
        .register(registry);
  }

  /// @return the number of steps that the network has made
  private long prepare(
      Start start, Teacher teacher, CheckpointFolder folder, IntConsumer progress) {
    if (folder.latest().isPresent()) {
      try (Checkpoint checkpoint = Checkpoint.open(folder.latest().get())) {
        model.restore(checkpoint);
        return checkpoint.step();
      }
    }
    teacher.train(start.trainingSteps(), progress);
    return start.trainingSteps();
  }

  /// Predicts with the newest published parameters.
  ///
  /// @throws BusyException if too many predictions run
  public Prediction predict(Drawing drawing) {
    return predict(Raster.pixels(drawing, Raster.USUAL_THICKNESS));
  }

  /// @param pixels as [Raster#pixels] makes them
  /// @throws BusyException if too many predictions run
  public Prediction predict(float[] pixels) {
    if (!places.tryAcquire()) {
      throw new BusyException("%s predictions run already".formatted(MOST_AT_ONCE));
    }
    courtesy.begin();
    try {
      Prediction prediction = timer.record(() -> model.predict(pixels));
      if (prediction.torn()) {
        torn.increment();
      }
      return prediction;
    } finally {
      courtesy.end();
      places.release();
    }
  }

  /// Predicts, counts whether that was right, and makes a step.
  ///
  /// @throws BusyException if too many predictions run or too many lessons wait
  public CompletableFuture<Lesson.Result> teach(Drawing drawing, String label) {
    float[] pixels = Raster.pixels(drawing, Raster.USUAL_THICKNESS);
    judge(pixels, label);
    return learner.teach(new Lesson(pixels, label));
  }

  /// Predicts, and counts whether that was right.
  void judge(float[] pixels, String label) {
    scores.judge(predict(pixels).best().equals(label));
  }

  public DigitModel model() {
    return model;
  }

  public Learner learner() {
    return learner;
  }

  public Scores scores() {
    return scores;
  }

  /// Predictions and their durations.
  public Timer timer() {
    return timer;
  }

  /// Predictions from a mix of two steps, which must not happen.
  public long torn() {
    return (long) torn.count();
  }

  @Override
  public void close() {
    learner.close();
    model.close();
  }
}
