package dev.panoptim.examples.schedules;

import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Sgd;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.schedule.ReduceOnPlateau;
import dev.panoptim.schedule.Schedule;
import dev.panoptim.schedule.Scheduler;

/// A schedule or a plateau rule, applied to a learning rate of 1.
///
/// @param schedule `null` if there is a plateau
/// @param plateau `null` if there is a schedule
record Curve(String label, Schedule schedule, ReduceOnPlateau plateau) {
  /// The learning rate at each step.
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

  /// A loss that falls exponentially towards 0.5.
  private static double loss(int step) {
    return 0.5 + Math.exp(-step / 10.0);
  }
}
