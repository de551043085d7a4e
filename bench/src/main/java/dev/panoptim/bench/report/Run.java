package dev.panoptim.bench.report;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.openjdk.jmh.results.RunResult;

/// The measurements of one command.
///
/// @param suite which benchmarks were chosen; a later run of the same suite replaces this one
/// @param command that repeats the run
/// @param date of the run, in UTC, as ISO 8601 writes it
/// @param machine properties of the machine by name, see [Machine]
/// @param libraries names and versions of the other libraries that were compared, as they print
///   them
public record Run(
    String suite,
    String command,
    String date,
    Map<String, String> machine,
    List<String> libraries,
    List<Measurement> measurements) {
  /// A run that has just ended on this machine.
  ///
  /// @param jvmOptions of the Java virtual machines that ran the benchmarks
  public static Run of(
      String suite,
      String command,
      List<String> jvmOptions,
      List<String> libraries,
      Collection<RunResult> results) {
    return new Run(
        suite,
        command,
        LocalDate.now(ZoneOffset.UTC).toString(),
        Machine.describe(jvmOptions),
        libraries,
        results.stream().map(Measurement::of).toList());
  }

  /// This run without the measurements that others have replaced.
  Run without(Set<Measurement.Key> replaced) {
    return new Run(
        suite,
        command,
        date,
        machine,
        libraries,
        measurements.stream().filter(each -> !replaced.contains(each.key())).toList());
  }
}
