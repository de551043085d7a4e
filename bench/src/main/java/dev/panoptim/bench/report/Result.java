package dev.panoptim.bench.report;

import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;

/// What one benchmark gave for one choice of its parameters.
record Result(RunResult run) {
  boolean isOf(Class<?> benchmark) {
    return run.getParams().getBenchmark().startsWith(benchmark.getName() + ".");
  }

  /// The benchmark's method.
  String method() {
    String name = run.getParams().getBenchmark();
    return name.substring(name.lastIndexOf('.') + 1);
  }

  /// A parameter by its name.
  String param(String name) {
    return run.getParams().getParam(name);
  }

  boolean has(String name, Object value) {
    return param(name).equals(value.toString());
  }

  long number(String name) {
    return Long.parseLong(param(name));
  }

  /// How many threads called the benchmark.
  int callers() {
    return run.getParams().getThreads();
  }

  /// What JMH measured, in the benchmark's own unit.
  Summary primary() {
    return summary(iteration -> iteration.getPrimaryResult().getScore());
  }

  /// A counter of the benchmark's, per iteration.
  Summary counter(String name) {
    return summary(iteration -> counter(iteration, name));
  }

  /// Of pairs: how many times as long the other takes.
  Summary otherToStep() {
    return summary(pair -> counter(pair, "otherNanos") / counter(pair, "stepNanos"));
  }

  /// Of pairs: what part of the other's time a step takes.
  Summary stepToOther() {
    return summary(pair -> counter(pair, "stepNanos") / counter(pair, "otherNanos"));
  }

  /// Bytes on the Java heap for each operation; NaN where that was not measured.
  double allocated() {
    return run.getSecondaryResults().entrySet().stream()
        .filter(each -> each.getKey().endsWith("gc.alloc.rate.norm"))
        .mapToDouble(each -> each.getValue().getScore())
        .findFirst()
        .orElse(Double.NaN);
  }

  private Summary summary(ToDoubleFunction<IterationResult> value) {
    return Summary.of(iterations().mapToDouble(value));
  }

  private Stream<IterationResult> iterations() {
    return run.getBenchmarkResults().stream().flatMap(fork -> fork.getIterationResults().stream());
  }

  private static double counter(IterationResult iteration, String name) {
    return iteration.getSecondaryResults().get(name).getScore();
  }
}
