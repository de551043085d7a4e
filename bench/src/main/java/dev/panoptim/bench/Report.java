package dev.panoptim.bench;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.util.Statistics;

/// The results of a run as Markdown: a table of medians, and beneath it what was wanted beside what
/// was measured.
final class Report {
  private final Collection<RunResult> results;

  Report(Collection<RunResult> results) {
    this.results = results;
  }

  /// @param backend what the native backend says of itself
  String markdown(String backend) {
    StringBuilder text = new StringBuilder("# AdamW steps\n\n");
    add(
        text,
        "%s %s, %d processors; Java %s; %s%n%n",
        System.getProperty("os.name"),
        System.getProperty("os.arch"),
        Runtime.getRuntime().availableProcessors(),
        Runtime.version(),
        backend);
    text.append(
        "| backend | threads | elements | median of a step | a parameter | range | allocated |\n");
    text.append("|---|---|---|---|---|---|---|\n");
    for (RunResult each : results) {
      if (isStep(each)) {
        BenchmarkParams parameters = each.getParams();
        Statistics times = each.getPrimaryResult().getStatistics();
        add(
            text,
            "| %s | %s | %s | %,.1f ns | %.3f ns | %,.1f to %,.1f ns | %.1f B |%n",
            parameters.getParam("backend"),
            parameters.getParam("threads"),
            parameters.getParam("elements"),
            median(each),
            median(each) / Integer.parseInt(parameters.getParam("elements")),
            times.getMin(),
            times.getMax(),
            allocated(each));
      }
    }
    text.append("\n| what | wanted | measured |\n|---|---|---|\n");
    add(
        text,
        "| native step of 33,554,432 parameters on 2 threads, to a kernel that only moves its bytes"
            + " (median of pairs) | at most 1.05 | %.3f |%n",
        toLimit());
    for (String elements : List.of("4096", "65536")) {
      double here = step("native", elements);
      add(
          text,
          "| scalar to native, %s parameters, 1 thread | at least 6 | %.2f |%n",
          elements,
          step("scalar", elements) / here);
      add(
          text,
          "| vector to native, %s parameters, 1 thread | at least 1 | %.2f |%n",
          elements,
          step("vector", elements) / here);
    }
    add(
        text,
        "| native step of one parameter of 16 elements | at most 200 ns | %.1f ns |%n",
        step("native", "16"));
    // The smallest step: of the longer ones there are so few that what the harness allocates shows.
    add(text, "| allocated by that step | 0 B | %.1f B |%n", allocated(find("native", "16")));
    return text.toString();
  }

  private static void add(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values));
  }

  private static boolean isStep(RunResult result) {
    return result.getParams().getBenchmark().startsWith(StepBenchmark.class.getName());
  }

  private static double median(RunResult result) {
    return result.getPrimaryResult().getStatistics().getPercentile(50);
  }

  private static double allocated(RunResult result) {
    return result.getSecondaryResults().entrySet().stream()
        .filter(each -> each.getKey().endsWith("gc.alloc.rate.norm"))
        .mapToDouble(each -> each.getValue().getScore())
        .findFirst()
        .orElse(Double.NaN);
  }

  private double step(String backend, String elements) {
    return median(find(backend, elements));
  }

  private RunResult find(String backend, String elements) {
    return results.stream()
        .filter(Report::isStep)
        .filter(each -> each.getParams().getParam("backend").equals(backend))
        .filter(each -> each.getParams().getParam("elements").equals(elements))
        .filter(each -> each.getParams().getParam("threads").equals("1"))
        .findFirst()
        .orElseThrow();
  }

  /// The median over all pairs of the step's time to that of the kernel that ran next to it.
  private double toLimit() {
    double[] ratios =
        results.stream()
            .filter(each -> !isStep(each))
            .flatMap(each -> each.getBenchmarkResults().stream())
            .flatMap(fork -> fork.getIterationResults().stream())
            .mapToDouble(each -> counter(each, "stepNanos") / counter(each, "limitNanos"))
            .sorted()
            .toArray();
    return ratios.length == 0
        ? Double.NaN
        : DoubleStream.of(ratios[(ratios.length - 1) / 2], ratios[ratios.length / 2])
            .average()
            .orElseThrow();
  }

  private static double counter(IterationResult iteration, String name) {
    return iteration.getSecondaryResults().get(name).getScore();
  }
}
