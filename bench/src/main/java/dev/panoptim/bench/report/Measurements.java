package dev.panoptim.bench.report;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The measurements of several runs, in the order in which the runs were made.
public record Measurements(List<Run> runs) {
  /// Adds a run. Its measurements replace those of an earlier run of the same suite, and any others
  /// of the same benchmark with the same parameters.
  Measurements with(Run run) {
    Set<Measurement.Key> replaced =
        run.measurements().stream().map(Measurement::key).collect(Collectors.toSet());
    Stream<Run> left =
        runs.stream()
            .filter(each -> !each.suite().equals(run.suite()))
            .map(each -> each.without(replaced))
            .filter(each -> !each.measurements().isEmpty());
    return new Measurements(Stream.concat(left, Stream.of(run)).toList());
  }
}
