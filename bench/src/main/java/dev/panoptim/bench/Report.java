package dev.panoptim.bench;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.util.Statistics;

/// The results of a run as Markdown: tables of medians, and beneath them what was wanted beside
/// what was measured.
final class Report {
  private static final String IN_CACHE = "4096";

  private final Collection<RunResult> results;
  private final StringBuilder text = new StringBuilder();

  Report(Collection<RunResult> results) {
    this.results = results;
  }

  /// @param backend what the native backend says of itself
  String markdown(String backend) {
    add(
        "# Steps%n%n%s %s, %d processors; Java %s; %s%n%n",
        System.getProperty("os.name"),
        System.getProperty("os.arch"),
        Runtime.getRuntime().availableProcessors(),
        Runtime.version(),
        backend);
    addBackends();
    addOptimizers();
    addPairs();
    addWanted();
    return text.toString();
  }

  private void addBackends() {
    add("## AdamW on each backend%n%n");
    add(
        "| backend | threads | elements | median of a step | a parameter | range | allocated |%n"
            + "|---|---|---|---|---|---|---|%n");
    results.stream()
        .filter(of(StepBenchmark.class, Contender.ADAMW))
        // The run over all optimizers repeats one of these sizes.
        .filter(each -> each == find(each.getParams()))
        .forEach(
            each -> {
              BenchmarkParams parameters = each.getParams();
              Statistics times = each.getPrimaryResult().getStatistics();
              add(
                  "| %s | %s | %s | %,.1f ns | %.3f ns | %,.1f to %,.1f ns | %.1f B |%n",
                  parameters.getParam("backend"),
                  parameters.getParam("threads"),
                  parameters.getParam("elements"),
                  median(each),
                  perParameter(each),
                  times.getMin(),
                  times.getMax(),
                  allocated(each));
            });
  }

  private void addOptimizers() {
    boolean peer = results.stream().anyMatch(isOf(PyTorchBenchmark.class));
    add("%n## Every optimizer, native%n%n");
    add(
        "| optimizer | bytes a parameter | in cache, a parameter | to the limit%s |%n"
            + "|---|---|---|---%s|%n",
        peer ? " | PyTorch | PyTorch to Panoptim" : "", peer ? "|---|---" : "");
    for (Contender each : Contender.values()) {
      add(
          "| %s | %d | %.3f ns | %.3f |",
          each.label(), each.bytesMoved(), inCache(each), toLimit(each));
      if (peer && each.inPyTorch() != null) {
        add(
            " %.1f ms | %.2f |",
            median(PyTorchBenchmark.class, each, pair -> counter(pair, "otherNanos")) / 1e6,
            toPyTorch(each));
      } else if (peer) {
        add(" | |");
      }
      add("%n");
    }
    add(
        "%nIn cache: 4,096 parameters, 1 thread. To the limit: 33,554,432 parameters on 2 threads,"
            + " the time of a step to that of a kernel that only moves its bytes%s; medians of"
            + " pairs.%n",
        peer ? ". PyTorch: its default CPU step of the same, with as many threads" : "");
  }

  private void addPairs() {
    add("%n## Around the update, and many tensors%n%n");
    add("| AdamW, 2 threads | Panoptim | compared with | takes | ratio |%n|---|---|---|---|---|%n");
    for (RunResult each : results) {
      if (isOf(EpilogueBenchmark.class).test(each)) {
        addPair(
            "scale, clip, step, average, bf16 copy, zero; 33,554,432 parameters",
            each.getParams().getParam("against").equals("passes")
                ? "the same as separate native passes"
                : "PyTorch's chain around its fused step",
            1,
            each);
      } else if (isOf(ManyTensorsBenchmark.class).test(each)) {
        boolean one = each.getParams().getParam("tensors").startsWith("1x");
        addPair(
            each.getParams().getParam("tensors") + " parameters",
            "PyTorch's fused step, threads " + each.getParams().getParam("peerThreads"),
            one ? ManyTensorsBenchmark.STEPS_OF_ONE : ManyTensorsBenchmark.STEPS_OF_MANY,
            each);
      }
    }
  }

  private double stepsOfCallers(int callers) {
    return results.stream()
        .filter(isOf(CallersBenchmark.class))
        .filter(each -> each.getParams().getThreads() == callers)
        .mapToDouble(Report::median)
        .findFirst()
        .orElse(Double.NaN);
  }

  private void addPair(String what, String other, int steps, RunResult result) {
    add(
        "| %s | %,.4f ms | %s | %,.4f ms | %.2f |%n",
        what,
        median(result, pair -> counter(pair, "stepNanos")) / steps / 1e6,
        other,
        median(result, pair -> counter(pair, "otherNanos")) / steps / 1e6,
        median(result, pair -> counter(pair, "otherNanos") / counter(pair, "stepNanos")));
  }

  private void addWanted() {
    add("%n| what | wanted | measured |%n|---|---|---|%n");
    add("| AdamW to the limit | at most 1.05 | %.3f |%n", toLimit(Contender.ADAMW));
    add(
        "| every optimizer to the limit | at most 1.15 | %.3f |%n",
        Arrays.stream(Contender.values()).mapToDouble(this::toLimit).max().orElseThrow());
    for (Contender each : List.of(Contender.RMSPROP, Contender.NADAM, Contender.ADADELTA)) {
      if (results.stream().anyMatch(of(PyTorchBenchmark.class, each))) {
        add("| PyTorch to Panoptim, %s | at least 8 | %.2f |%n", each.label(), toPyTorch(each));
      }
    }
    add(
        "| steps of 16 Java threads at once, to those of one | at least 0.8 | %.2f |%n",
        stepsOfCallers(16) / stepsOfCallers(1));
    for (String elements : List.of(IN_CACHE, "65536")) {
      double here = step("native", elements);
      add(
          "| scalar to native, %s parameters, 1 thread | at least 6 | %.2f |%n",
          elements, step("scalar", elements) / here);
      add(
          "| vector to native, %s parameters, 1 thread | at least 1 | %.2f |%n",
          elements, step("vector", elements) / here);
    }
    add(
        "| native step of one parameter of 16 elements | at most 200 ns | %.1f ns |%n",
        step("native", "16"));
    // The smallest step: of the longer ones there are so few that what the harness allocates shows.
    add("| allocated by that step | 0 B | %.1f B |%n", allocated(find("native", "16", "1")));
  }

  private void add(String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values));
  }

  private static Predicate<RunResult> isOf(Class<?> benchmark) {
    return each -> each.getParams().getBenchmark().startsWith(benchmark.getName() + ".");
  }

  private static Predicate<RunResult> of(Class<?> benchmark, Contender contender) {
    return isOf(benchmark)
        .and(each -> each.getParams().getParam("optimizer").equals(contender.name()));
  }

  private static double median(RunResult result) {
    return result.getPrimaryResult().getStatistics().getPercentile(50);
  }

  private static double perParameter(RunResult result) {
    return median(result) / Integer.parseInt(result.getParams().getParam("elements"));
  }

  private static double allocated(RunResult result) {
    return result.getSecondaryResults().entrySet().stream()
        .filter(each -> each.getKey().endsWith("gc.alloc.rate.norm"))
        .mapToDouble(each -> each.getValue().getScore())
        .findFirst()
        .orElse(Double.NaN);
  }

  private double step(String backend, String elements) {
    return median(find(backend, elements, "1"));
  }

  private RunResult find(BenchmarkParams like) {
    return find(like.getParam("backend"), like.getParam("elements"), like.getParam("threads"));
  }

  /// Of AdamW.
  private RunResult find(String backend, String elements, String threads) {
    return results.stream()
        .filter(of(StepBenchmark.class, Contender.ADAMW))
        .filter(each -> each.getParams().getParam("backend").equals(backend))
        .filter(each -> each.getParams().getParam("elements").equals(elements))
        .filter(each -> each.getParams().getParam("threads").equals(threads))
        .findFirst()
        .orElseThrow();
  }

  private double inCache(Contender contender) {
    return results.stream()
        .filter(of(StepBenchmark.class, contender))
        .filter(each -> each.getParams().getParam("backend").equals("native"))
        .filter(each -> each.getParams().getParam("elements").equals(IN_CACHE))
        .mapToDouble(Report::perParameter)
        .findFirst()
        .orElse(Double.NaN);
  }

  private double toLimit(Contender contender) {
    return median(
        LimitBenchmark.class,
        contender,
        pair -> counter(pair, "stepNanos") / counter(pair, "otherNanos"));
  }

  private double toPyTorch(Contender contender) {
    return median(
        PyTorchBenchmark.class,
        contender,
        pair -> counter(pair, "otherNanos") / counter(pair, "stepNanos"));
  }

  /// The median over all pairs of a benchmark.
  private double median(
      Class<?> benchmark, Contender contender, ToDoubleFunction<IterationResult> value) {
    return results.stream()
        .filter(of(benchmark, contender))
        .mapToDouble(each -> median(each, value))
        .findFirst()
        .orElse(Double.NaN);
  }

  private static double median(RunResult result, ToDoubleFunction<IterationResult> value) {
    double[] all =
        result.getBenchmarkResults().stream()
            .flatMap(fork -> fork.getIterationResults().stream())
            .mapToDouble(value)
            .sorted()
            .toArray();
    return all.length == 0 ? Double.NaN : (all[(all.length - 1) / 2] + all[all.length / 2]) / 2;
  }

  private static double counter(IterationResult iteration, String name) {
    return iteration.getSecondaryResults().get(name).getScore();
  }
}
