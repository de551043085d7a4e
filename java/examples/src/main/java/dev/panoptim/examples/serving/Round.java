package dev.panoptim.examples.serving;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Publication;
import java.io.IOException;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/// Measures one mode under load for some seconds, with a new model, learner and server.
final class Round {
  private static final double NANOS = 1e9;

  /// @param stepsPerSecond 0 for steps back to back
  /// @param requests number of requests of one round
  record Settings(
      int elements, double stepsPerSecond, double requestsPerSecond, int requests, long seed) {}

  /// @param learnerShare share of the time that the learner spent in gradients, steps and waits for
  ///   locks, from 0 to 1
  record Result(
      Load.Result load,
      double stepsPerSecond,
      double learnerShare,
      long publications,
      long skipped) {}

  /// The counters of a learner.
  private record Count(long steps, long busyNanos, long publications, long skipped) {
    static Count of(Learner learner, Optional<Publication> publication) {
      return new Count(
          learner.steps(),
          learner.busyNanos(),
          publication.map(Publication::published).orElse(0L),
          publication.map(Publication::skipped).orElse(0L));
    }
  }

  /// Closes without a checked exception.
  private interface QuietCloseable extends AutoCloseable {
    @Override
    void close();
  }

  private final Mode mode;
  private final Settings settings;
  private final Ensemble model;

  Round(Mode mode, Settings settings) {
    this.mode = mode;
    this.settings = settings;
    model = new Ensemble(settings.elements());
  }

  /// @param cancelled whether to end early
  /// @param whenSent called after each request
  Result run(BooleanSupplier cancelled, Runnable whenSent) throws IOException {
    try (Parameters parameters = model.newParameters(settings.seed())) {
      Optimizer optimizer = mode.newOptimizer(parameters);
      Parameter weights = Ensemble.weights(parameters);
      ModelAccess access = mode.share(model, weights, optimizer);
      // Closed in reverse order: requests end first, then steps, then the memory is freed.
      try (QuietCloseable _ = () -> close(optimizer);
          Learner learner =
              new Learner(model, weights, access, settings.stepsPerSecond(), settings.seed());
          PredictServer server = new PredictServer(access::predict)) {
        if (mode.learns()) {
          // The first step allocates the states.
          learner.learnOnce();
          learner.start();
        }
        Optional<Publication> publication =
            mode.publishes() ? Optional.of(optimizer.publication()) : Optional.empty();
        Load load = new Load(server.uri(), settings.requestsPerSecond(), settings.requests());
        Count before = Count.of(learner, publication);
        Load.Result result = load.run(settings.seed(), cancelled, whenSent);
        return result(result, before, Count.of(learner, publication));
      }
    }
  }

  private static Result result(Load.Result load, Count before, Count after) {
    return new Result(
        load,
        (after.steps - before.steps) / load.seconds(),
        (after.busyNanos - before.busyNanos) / (NANOS * load.seconds()),
        after.publications - before.publications,
        after.skipped - before.skipped);
  }

  private static void close(Optimizer optimizer) {
    if (!optimizer.close(Learner.LONGEST_STEP)) {
      throw new IllegalStateException(
          "a step has not ended within " + Learner.LONGEST_STEP.toSeconds() + " s");
    }
  }
}
