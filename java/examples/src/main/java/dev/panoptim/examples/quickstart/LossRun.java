package dev.panoptim.examples.quickstart;

import dev.panoptim.backend.Backend;
import dev.panoptim.checkpoint.Training;
import dev.panoptim.examples.chart.Charts;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import java.util.ArrayList;
import java.util.List;

/// The losses of one optimizer's training of the quickstart's model, in bits per byte.
///
/// @param training of each step, the mean of the last [#SMOOTHED_OVER] batches
/// @param validation of the held-out text after the last step
record LossRun(double[] training, double validation) {
  static final int SMOOTHED_OVER = 50;

  /// Trains with a constant learning rate.
  ///
  /// @param seed of the initial parameters and the batches
  /// @throws IllegalArgumentException if an argument of the optimizer is out of range
  static LossRun of(
      OptimizerChoice choice, Backend backend, Corpus corpus, int steps, long seed, int threads) {
    LanguageModel model = Quickstart.MODEL;
    List<Double> losses = new ArrayList<>();
    try (Parameters parameters = model.newParameters(seed);
        Optimizer optimizer = choice.build(parameters, backend);
        Trainer trainer =
            new Trainer(model, parameters, Training.of(optimizer), corpus, seed, threads)) {
      for (int step = 1; step <= steps; step++) {
        losses.add(trainer.step(step));
      }
      double[] smooth = new double[steps];
      for (int i = 0; i < steps; i++) {
        smooth[i] = Charts.meanUpTo(losses, i, SMOOTHED_OVER);
      }
      return new LossRun(smooth, trainer.validationLoss());
    }
  }
}
