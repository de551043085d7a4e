package dev.panoptim.bench;

import dev.panoptim.bench.report.GpuRows;
import dev.panoptim.device.Device;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Runs [GpuBenchmark] and prints the rows of its cases for the table of a run on a GPU. A case
/// that fails does not stop the others.
///
/// ```
/// GpuMain [--most ELEMENTS] [--rounds N]
/// ```
///
/// Cases with more elements in all are reduced to at most ELEMENTS. The exit status is 0 if all
/// cases have been measured.
public final class GpuMain {
  private static final String CUDA_LIBRARY = "panoptim.cuda.library";
  private static final TensorSizes LARGE = new TensorSizes(1, 100_000_000);
  private static final TensorSizes MANY = new TensorSizes(10_000, 10_000);

  private record Case(GpuCase kind, TensorSizes sizes) {}

  private static final List<Case> CASES =
      List.of(
          new Case(GpuCase.STEP, new TensorSizes(1, 256)),
          new Case(GpuCase.STEP, new TensorSizes(1, 1_000_000)),
          new Case(GpuCase.STEP, LARGE),
          new Case(GpuCase.STEP, MANY),
          new Case(GpuCase.MOVING_GRADIENTS, MANY),
          new Case(GpuCase.FUSED, LARGE),
          new Case(GpuCase.OFFLOAD, LARGE),
          new Case(GpuCase.OFFLOAD_MASTER_COPY, LARGE),
          new Case(GpuCase.OFFLOAD_ONE_THREAD, LARGE));

  private GpuMain() {}

  /// As [#measure].
  public static void main(String[] arguments) {
    System.exit(measure(arguments, System.out) ? 0 : 1);
  }

  /// Measures all cases and prints their rows.
  ///
  /// @return whether all cases have been measured; the reasons of failures go to standard error
  /// @throws IllegalArgumentException if an argument is malformed
  public static boolean measure(String[] arguments, PrintStream to) {
    int most = Integer.MAX_VALUE;
    int rounds = 7;
    for (int i = 0; i < arguments.length; i += 2) {
      String value = i + 1 < arguments.length ? arguments[i + 1] : "";
      switch (arguments[i]) {
        case "--most" -> most = positive(arguments[i], value);
        case "--rounds" -> rounds = positive(arguments[i], value);
        default ->
            throw new IllegalArgumentException(
                "argument is '" + arguments[i] + "', but must be --most or --rounds");
      }
    }
    GpuRows rows = new GpuRows(Device.cuda(0).describe(), to);
    boolean complete = true;
    for (Case each : casesOfAtMost(most)) {
      try {
        rows.add(
            each.kind.label(),
            each.sizes.count(),
            each.sizes.elements(),
            each.kind.bytesPerElement(),
            run(each, rounds));
      } catch (RunnerException e) {
        e.printStackTrace();
        complete = false;
      }
    }
    return complete;
  }

  private static int positive(String name, String value) {
    try {
      int number = Integer.parseInt(value);
      if (number > 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Reported below.
    }
    throw new IllegalArgumentException(
        name + " is '" + value + "', but must be a whole number from 1 to 2147483647");
  }

  /// The cases. Cases with too many elements get fewer or smaller tensors.
  private static List<Case> casesOfAtMost(int most) {
    Set<Case> cases = new LinkedHashSet<>();
    for (Case each : CASES) {
      int elements = Math.min(each.sizes.elements(), most);
      int count = Math.min(each.sizes.count(), most / elements);
      cases.add(new Case(each.kind, new TensorSizes(count, elements)));
    }
    return new ArrayList<>(cases);
  }

  private static RunResult run(Case which, int rounds) throws RunnerException {
    // The JVM that is measured has the options of this JVM. Properties may have been set later.
    String library = System.getProperty(CUDA_LIBRARY);
    return new Runner(
            new OptionsBuilder()
                .include("^" + Pattern.quote(GpuBenchmark.class.getName() + ".pair") + "$")
                .param("kind", which.kind.name())
                .param("tensors", which.sizes.count() + "x" + which.sizes.elements())
                .forks(1)
                .jvmArgsAppend(
                    library == null
                        ? new String[0]
                        : new String[] {"-D" + CUDA_LIBRARY + "=" + library})
                .warmupIterations(2)
                .measurementIterations(rounds)
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT)
                .build())
        .runSingle();
  }
}
