package dev.panoptim.examples.schedules;

import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Sgd;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.schedule.ReduceOnPlateau;
import dev.panoptim.schedule.Schedule;
import dev.panoptim.schedule.Scheduler;

/// A schedule, or a plateau, and the values that it gives a learning rate of 1.
///
/// @param schedule `null` where a plateau drives
/// @param plateau `null` where a schedule drives
record Curve(String label, Schedule schedule, ReduceOnPlateau plateau) {
  /// The learning rate that an optimizer has at each step.
  double[] values(int steps) {
    try (Parameters parameters = Parameters.builder().add("weight", 1).build();
        Optimizer optimizer = Sgd.builder(parameters).learningRate(1).build()) {
      Scheduler.Builder builder = Scheduler.builder(optimizer);
      Scheduler scheduler =
          (plateau == null
                  ? builder.drive(Hyperparameter.LEARNING_RATE, schedule)
                  : builder.drive(Hyperparameter.LEARNING_RATE, plateau))
              .build();
      double[] values = new double[steps];
      for (int step = 0; step < steps; step++) {
        if (step > 0) {
          scheduler.step(loss(step));
        }
        values[step] = optimizer.paramGroups().getFirst().learningRate();
      }
      return values;
    }
  }

  /// Falls fast, and then ever more slowly.
  private static double loss(int step) {
    return 0.5 + Math.exp(-step / 10.0);
  }
}
