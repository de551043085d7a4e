package dev.panoptim.examples.hogwild;

import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Adagrad;
import dev.panoptim.optim.Optimizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.SplittableRandom;

/// The program of one worker process.
final class Worker {
  private static final double LEARNING_RATE = 0.1;

  private Worker() {}

  /// An optimizer whose states lie in a file that all processes map.
  static Optimizer optimizer(Path folder, Parameters parameters) {
    return Adagrad.builder(parameters)
        .learningRate(LEARNING_RATE)
        .threads(1)
        .sharedStates(folder.resolve("states"))
        .build();
  }

  /// Arguments: the shared folder, the number of this worker, the number of steps. Prints a line
  /// when ready, begins when standard input ends, and finally prints how many steps the other
  /// workers made in the meantime.
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    SplittableRandom random = new SplittableRandom(Long.parseLong(arguments[1]));
    int steps = Integer.parseInt(arguments[2]);
    try (Parameters parameters = Classifier.parameters(folder);
        Optimizer optimizer = optimizer(folder, parameters)) {
      Classifier classifier = new Classifier(parameters);
      System.out.println("ready");
      System.in.readAllBytes();
      long before = optimizer.stepCount(parameters.get("weights"));
      for (int i = 0; i < steps; i++) {
        classifier.computeGradient(random);
        optimizer.step();
      }
      long all = optimizer.stepCount(parameters.get("weights")) - before;
      System.out.printf(
          Locale.ROOT,
          "process %d made %,d steps and saw %,d of others%n",
          ProcessHandle.current().pid(),
          steps,
          all - steps);
    }
  }
}
