package dev.panoptim.server.load;

import dev.panoptim.server.digits.DigitService;
import dev.panoptim.server.digits.SimulatedUsers;

/// One round of requests, with or without learning.
///
/// @param failed requests that were not answered
record Round(
    double p50,
    double p99,
    double requestsPerSecond,
    double stepsPerSecond,
    long publications,
    long skipped,
    long torn,
    long failed) {
  /// @param lessons drawings of simulated users in a second, in both modes; without learning they
  ///   are predicted only
  static Round run(
      DigitService service,
      SimulatedUsers users,
      Client client,
      boolean learning,
      int lessons,
      double seconds,
      double rate)
      throws InterruptedException {
    users.plan(new SimulatedUsers.Plan(true, learning, lessons));
    long steps = service.learner().steps();
    long publications = service.model().publications();
    long skipped = service.model().skippedPublications();
    long torn = service.torn();
    Client.Result result = client.send(seconds, rate);
    users.plan(new SimulatedUsers.Plan(false, learning, lessons));
    Latencies latencies = new Latencies(result.nanos());
    return new Round(
        latencies.percentile(50),
        latencies.percentile(99),
        result.nanos().length / result.seconds(),
        (service.learner().steps() - steps) / result.seconds(),
        service.model().publications() - publications,
        service.model().skippedPublications() - skipped,
        service.torn() - torn,
        result.failed());
  }
}
