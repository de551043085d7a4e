package dev.panoptim.bench.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;

/// The measured values of one benchmark with one choice of its parameters.
///
/// @param benchmark simple name of its class
/// @param method name of the benchmark's method
/// @param parameters values of JMH's parameters by name
/// @param values by name, a value for each iteration of each fork: [#SCORE] in nanoseconds per
///   operation, [#ALLOCATED] in bytes per operation, and the benchmark's own counters
record Measurement(
    String benchmark,
    String method,
    Map<String, String> parameters,
    Map<String, List<Double>> values) {
  static final String SCORE = "score";
  static final String ALLOCATED = "allocatedBytes";

  /// The name that JMH's profiler of the garbage collector gives to allocated bytes.
  private static final String JMH_ALLOCATED = "gc.alloc.rate.norm";

  private static final String STEP_NANOS = "stepNanos";
  private static final String OTHER_NANOS = "otherNanos";

  /// More digits than the report shows; fewer keep the committed file small.
  private static final MathContext DIGITS = new MathContext(6);

  /// Identifies a measurement: a later one with the same key replaces it.
  record Key(String benchmark, String method, Map<String, String> parameters) {}

  static Measurement of(RunResult run) {
    String name = run.getParams().getBenchmark();
    String type = name.substring(0, name.lastIndexOf('.'));
    Map<String, List<Double>> values = new LinkedHashMap<>();
    run.getBenchmarkResults().stream()
        .flatMap(fork -> fork.getIterationResults().stream())
        .forEach(iteration -> add(iteration, values));
    return new Measurement(
        type.substring(type.lastIndexOf('.') + 1),
        name.substring(name.lastIndexOf('.') + 1),
        parameters(run.getParams().getParamsKeys(), run),
        values);
  }

  private static Map<String, String> parameters(Collection<String> names, RunResult run) {
    Map<String, String> parameters = new TreeMap<>();
    names.forEach(each -> parameters.put(each, run.getParams().getParam(each)));
    return parameters;
  }

  private static void add(IterationResult iteration, Map<String, List<Double>> values) {
    add(SCORE, iteration.getPrimaryResult().getScore(), values);
    iteration
        .getSecondaryResults()
        .forEach(
            (name, result) -> {
              if (name.endsWith(JMH_ALLOCATED)) {
                add(ALLOCATED, result.getScore(), values);
              } else if (!name.contains("gc.")) {
                add(name, result.getScore(), values);
              }
            });
  }

  private static void add(String name, double value, Map<String, List<Double>> values) {
    if (Double.isFinite(value)) {
      values
          .computeIfAbsent(name, any -> new ArrayList<>())
          .add(new BigDecimal(value).round(DIGITS).doubleValue());
    }
  }

  Key key() {
    return new Key(benchmark, method, parameters);
  }

  boolean isOf(Class<?> type) {
    return benchmark.equals(type.getSimpleName());
  }

  /// The value of a parameter.
  ///
  /// @throws IllegalArgumentException if the benchmark has no such parameter
  String param(String name) {
    String value = parameters.get(name);
    if (value == null) {
      throw new IllegalArgumentException(
          "parameter %s: %s has only %s".formatted(name, benchmark, parameters.keySet()));
    }
    return value;
  }

  boolean has(String name, Object value) {
    return param(name).equals(value.toString());
  }

  long number(String name) {
    return Long.parseLong(param(name));
  }

  /// JMH's own measurement, in nanoseconds per operation.
  Summary score() {
    return summary(SCORE);
  }

  /// Bytes allocated on the Java heap per operation; unknown if not measured.
  Summary allocated() {
    return summary(ALLOCATED);
  }

  /// A counter of the benchmark; unknown if not measured.
  Summary summary(String name) {
    return Summary.of(values.getOrDefault(name, List.of()).stream().mapToDouble(x -> x));
  }

  /// The nanoseconds of a step, for benchmarks that time a step and another action in turn.
  Summary step() {
    return summary(STEP_NANOS);
  }

  /// The nanoseconds of the action that a step is compared with.
  Summary other() {
    return summary(OTHER_NANOS);
  }

  /// Time of the other action / time of a step, pair by pair.
  Summary otherToStep() {
    return pairs(i -> value(OTHER_NANOS, i) / value(STEP_NANOS, i));
  }

  /// Time of a step / time of the other action, pair by pair.
  Summary stepToOther() {
    return pairs(i -> value(STEP_NANOS, i) / value(OTHER_NANOS, i));
  }

  private double value(String name, int iteration) {
    return values.get(name).get(iteration);
  }

  private Summary pairs(ToDoubleFunction<Integer> ratio) {
    int count = values.getOrDefault(STEP_NANOS, List.of()).size();
    return Summary.of(IntStream.range(0, count).boxed().mapToDouble(ratio));
  }
}
