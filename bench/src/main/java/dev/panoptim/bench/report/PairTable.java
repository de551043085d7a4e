package dev.panoptim.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// A table of benchmarks that time a step and another action in turn. Each row has some leading
/// cells, both times, their ratio with its quartiles, and some trailing cells.
final class PairTable {
  private final Document.Table table;
  private final Function<Measurement, Summary> ratio;
  private final String format;

  /// @param first leading columns
  /// @param step column of the step's time
  /// @param other column of the other action's time
  /// @param name column of the ratio
  /// @param ratio [Measurement#stepToOther] or [Measurement#otherToStep]
  /// @param format of the ratio, for [String#format]
  /// @param last trailing columns
  PairTable(
      List<String> first,
      String step,
      String other,
      String name,
      Function<Measurement, Summary> ratio,
      String format,
      String... last) {
    table = Document.Table.of(join(first, List.of(step, other, name, "quartiles"), last));
    this.ratio = ratio;
    this.format = format;
  }

  void add(Measurement pair, List<String> first, String... last) {
    Summary value = ratio.apply(pair);
    table.add(
        join(
            first,
            List.of(
                Duration.of(pair.step()),
                Duration.of(pair.other()),
                value.median(format),
                value.range(format)),
            last));
  }

  Document.Table table() {
    return table;
  }

  private static List<String> join(List<String> first, List<String> middle, String... last) {
    List<String> all = new ArrayList<>(first);
    all.addAll(middle);
    all.addAll(List.of(last));
    return all;
  }
}
