package dev.panoptim.examples.serving;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/// The measurements of the rounds of all modes. Times and rates are medians over the rounds of a
/// mode, counts are sums.
///
/// Not thread-safe.
final class Report {
  private static final int MEDIAN = 500;
  private static final int P99 = 990;
  private static final int P999 = 999;

  private static final List<String> HEADINGS =
      List.of(
          "mode",
          "p50 ms",
          "p99 ms",
          "p99.9 ms",
          "p99 / none",
          "requests/s",
          "steps/s",
          "learner busy",
          "publications",
          "skipped",
          "torn answers",
          "failed");

  private final Map<Mode, List<Round.Result>> rounds = new EnumMap<>(Mode.class);

  void add(Mode mode, Round.Result round) {
    rounds.computeIfAbsent(mode, key -> new ArrayList<>()).add(round);
  }

  /// A row for each mode that has a round.
  Table table() {
    Table table = new Table(HEADINGS);
    rounds.keySet().forEach(mode -> table.add(row(mode)));
    return table;
  }

  /// The number of answers of a mode from parameters of more than one step.
  long torn(Mode mode) {
    return sum(mode, each -> each.load().torn());
  }

  /// The number of requests of all modes that were not answered.
  long failed() {
    return rounds.keySet().stream()
        .mapToLong(mode -> sum(mode, each -> each.load().failed()))
        .sum();
  }

  private List<String> row(Mode mode) {
    return List.of(
        mode.toString(),
        number("%.2f", percentile(mode, MEDIAN)),
        number("%.2f", percentile(mode, P99)),
        number("%.2f", percentile(mode, P999)),
        number("%.2f", ratio(mode)),
        number("%.1f", median(mode, each -> each.load().requestsPerSecond())),
        number("%.1f", median(mode, Round.Result::stepsPerSecond)),
        number("%.0f%%", median(mode, each -> 100 * each.learnerShare())),
        mode == Mode.PUBLICATION ? count(sum(mode, Round.Result::publications)) : "",
        mode == Mode.PUBLICATION ? count(sum(mode, Round.Result::skipped)) : "",
        count(torn(mode)),
        count(sum(mode, each -> each.load().failed())));
  }

  private OptionalDouble ratio(Mode mode) {
    OptionalDouble none = percentile(Mode.NONE, P99);
    OptionalDouble here = percentile(mode, P99);
    return none.isEmpty() || here.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of(here.getAsDouble() / none.getAsDouble());
  }

  /// Empty if a round had too few requests.
  private OptionalDouble percentile(Mode mode, int perMille) {
    List<OptionalDouble> each =
        rounds.getOrDefault(mode, List.of()).stream()
            .map(round -> round.load().latencies().percentile(perMille))
            .toList();
    return each.stream().anyMatch(OptionalDouble::isEmpty)
        ? OptionalDouble.empty()
        : Latencies.median(each.stream().mapToDouble(OptionalDouble::getAsDouble).toArray());
  }

  private OptionalDouble median(Mode mode, ToDoubleFunction<Round.Result> value) {
    return Latencies.median(rounds.get(mode).stream().mapToDouble(value).toArray());
  }

  private long sum(Mode mode, ToLongFunction<Round.Result> value) {
    return rounds.getOrDefault(mode, List.of()).stream().mapToLong(value).sum();
  }

  private static String number(String format, OptionalDouble value) {
    return value.isEmpty() ? "-" : String.format(Locale.ROOT, format, value.getAsDouble());
  }

  private static String count(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }
}
