package dev.panoptim.server.web;

import dev.panoptim.metrics.Metrics;
import dev.panoptim.server.digits.DigitService;
import dev.panoptim.server.digits.OptimizerKind;
import dev.panoptim.server.digits.SimulatedUsers;
import dev.panoptim.server.recommender.RecommenderService;
import io.micrometer.core.instrument.distribution.ValueAtPercentile;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;

/// Reads the present figures of the server, a few times a second.
///
/// Not thread-safe.
final class Figures {
  private final DigitService service;
  private final SimulatedUsers users;
  private final RecommenderService recommender;
  private final Requests requests;
  private final Rate steps = new Rate();
  private final Rate answered = new Rate();
  private final Rate predictions = new Rate();
  private final Rate choices = new Rate();

  Figures(
      DigitService service,
      SimulatedUsers users,
      RecommenderService recommender,
      Requests requests) {
    this.service = service;
    this.users = users;
    this.recommender = recommender;
    this.requests = requests;
  }

  /// @param loss null before the first lesson
  /// @param accuracy of the last drawings with a known label; null before the first
  /// @param p50 median of a prediction's duration in milliseconds
  /// @param offHeap bytes that the library holds outside the Java heap
  /// @param waiting pieces of work that wait for the learner
  record Live(
      Double loss,
      Double accuracy,
      long judged,
      long steps,
      double stepsPerSecond,
      double requestsPerSecond,
      double predictionsPerSecond,
      double p50,
      double p99,
      long publications,
      long skippedPublications,
      long skippedSteps,
      long tornPredictions,
      long offHeap,
      int waiting,
      boolean learning,
      List<String> labels,
      DigitEndpoints.Settings settings,
      List<Kind> kinds,
      List<String> checkpoints,
      SimulatedUsers.Plan users,
      double degrees,
      Choices choices) {}

  /// The recommender.
  ///
  /// @param hitRate null before the first choice
  /// @param rows ids that have a vector of their own
  /// @param bytes of the table of vectors
  record Choices(
      Double hitRate,
      long count,
      double perSecond,
      long steps,
      long rows,
      long bytes,
      boolean alive,
      RecommenderService.Plan plan) {}

  /// An optimizer that can be chosen.
  record Kind(String id, String title, double learningRate) {}

  private static final List<Kind> KINDS =
      Arrays.stream(OptimizerKind.values())
          .map(each -> new Kind(each.id(), each.title(), each.usualLearningRate()))
          .toList();

  Live read() {
    long now = System.nanoTime();
    ValueAtPercentile[] percentiles = service.timer().takeSnapshot().percentileValues();
    return new Live(
        orNull(service.scores().loss()),
        orNull(service.scores().accuracy()),
        service.scores().judged(),
        service.learner().steps(),
        steps.update(service.learner().steps(), now),
        answered.update(requests.count(), now),
        predictions.update(service.timer().count(), now),
        percentiles[0].value(TimeUnit.MILLISECONDS),
        percentiles[1].value(TimeUnit.MILLISECONDS),
        service.model().publications(),
        service.model().skippedPublications(),
        service.scores().skippedSteps(),
        service.torn(),
        Metrics.snapshot().memory().total(),
        service.learner().waiting(),
        service.learner().isRunning(),
        service.model().labels(),
        DigitEndpoints.Settings.of(service.model().settings()),
        KINDS,
        service.learner().checkpoints(),
        users.plan(),
        users.degrees(),
        new Choices(
            orNull(recommender.hitRate()),
            recommender.choices(),
            choices.update(recommender.choices(), now),
            recommender.steps(),
            recommender.rows(),
            recommender.bytes(),
            recommender.isAlive(),
            recommender.plan()));
  }

  private static Double orNull(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }
}
