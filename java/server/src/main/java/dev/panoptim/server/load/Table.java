package dev.panoptim.server.load;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/// The rounds of both modes as a Markdown table: medians of times and rates, sums of counts.
record Table(List<Round> without, List<Round> with) {
  private static final String HEAD =
      """
      | learning | p50 ms | p99 ms | p99 / off | requests/s | steps/s | publications | skipped | torn reads | failed |
      |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
      """;

  String text() {
    return HEAD + row("off", without) + row("on", with);
  }

  private String row(String name, List<Round> rounds) {
    return String.format(
        Locale.ROOT,
        "| %s | %.3f | %.3f | %.2f | %.0f | %.1f | %d | %d | %d | %d |%n",
        name,
        median(rounds, Round::p50),
        median(rounds, Round::p99),
        median(rounds, Round::p99) / median(without, Round::p99),
        median(rounds, Round::requestsPerSecond),
        median(rounds, Round::stepsPerSecond),
        sum(rounds, Round::publications),
        sum(rounds, Round::skipped),
        sum(rounds, Round::torn),
        sum(rounds, Round::failed));
  }

  long torn() {
    return sum(without, Round::torn) + sum(with, Round::torn);
  }

  long failed() {
    return sum(without, Round::failed) + sum(with, Round::failed);
  }

  private static double median(List<Round> rounds, ToDoubleFunction<Round> value) {
    return Latencies.median(rounds.stream().mapToDouble(value).toArray());
  }

  private static long sum(List<Round> rounds, ToLongFunction<Round> value) {
    return rounds.stream().mapToLong(value).sum();
  }
}
