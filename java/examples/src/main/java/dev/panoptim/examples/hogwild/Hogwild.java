package dev.panoptim.examples.hogwild;

import dev.panoptim.examples.console.Programs;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Several JVMs train one model at the same time, without locks. Parameters and Adagrad's states
/// lie in files that all processes map. (Hogwild: [Niu, Recht, Re and Wright
/// 2011](https://arxiv.org/abs/1106.5730).)
@Command(
    name = "hogwild",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description =
        "Trains a classifier in several processes at once, which share parameters and states in"
            + " mapped files.")
public final class Hogwild implements Callable<Integer> {
  @Option(names = "--workers", description = "Processes, 1 or more.")
  private int workers = 2;

  @Option(names = "--steps", description = "Steps of each process, 1 or more.")
  private int steps = 5000;

  private final PrintStream console = System.out;

  /// Runs the program and ends the process: 0 on success, 1 if a worker failed, 2 on wrong options.
  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return Programs.commandLine(new Hogwild());
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (workers < 1 || steps < 1) {
      throw new IllegalArgumentException(
          "--workers is %s and --steps %s, but both must be 1 or more".formatted(workers, steps));
    }
    Path folder = Files.createTempDirectory("panoptim-hogwild");
    try {
      return train(folder);
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(each);
        }
      }
    }
  }

  private int train(Path folder) throws IOException, InterruptedException {
    try (Parameters parameters = Classifier.parameters(folder);
        Optimizer optimizer = Worker.optimizer(folder, parameters)) {
      Classifier classifier = new Classifier(parameters);
      row("accuracy before", "%.1f%%", 100 * classifier.accuracy());
      long start = System.nanoTime();
      boolean good = runWorkers(folder);
      row("accuracy after", "%.1f%%", 100 * classifier.accuracy());
      row(
          "steps counted",
          "%,d in %.1f s",
          optimizer.stepCount(parameters.get("weights")),
          (System.nanoTime() - start) / 1e9);
      return good ? 0 : 1;
    }
  }

  private boolean runWorkers(Path folder) throws IOException, InterruptedException {
    List<Process> running = new ArrayList<>();
    try {
      for (int i = 1; i <= workers; i++) {
        running.add(startWorker(folder, i));
      }
      // All start together. Otherwise the first could end before the last begins.
      for (Process each : running) {
        each.inputReader().readLine();
      }
      for (Process each : running) {
        each.getOutputStream().close();
      }
      boolean good = true;
      for (int i = 1; i <= workers; i++) {
        Process worker = running.get(i - 1);
        worker.inputReader().lines().forEach(line -> console.println("  " + line));
        if (worker.waitFor() != 0) {
          good = false;
          System.err.println(Files.readString(errors(folder, i)));
        }
      }
      return good;
    } finally {
      running.forEach(Process::destroy);
    }
  }

  private Process startWorker(Path folder, int number) throws IOException {
    String modules = System.getProperty("jdk.module.path");
    if (modules == null) {
      throw new IllegalStateException(
          "the program must be started from a module path (-p), because its workers use the same"
              + " one");
    }
    return new ProcessBuilder(
            ProcessHandle.current().info().command().orElse("java"),
            "--enable-native-access=dev.panoptim",
            "-p",
            modules,
            "-m",
            "dev.panoptim.examples/" + Worker.class.getName(),
            folder.toString(),
            Integer.toString(number),
            Integer.toString(steps))
        .redirectError(errors(folder, number).toFile())
        .start();
  }

  private static Path errors(Path folder, int worker) {
    return folder.resolve("errors-" + worker);
  }

  private void row(String name, String format, Object... values) {
    console.printf(Locale.ROOT, "  %-18s %s%n", name, String.format(Locale.ROOT, format, values));
  }
}
