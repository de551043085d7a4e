package dev.panoptim.examples.bridges.djl;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.GradientCollector;
import dev.panoptim.djl.PanoptimTrainer;
import dev.panoptim.examples.bridges.Quartiles;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Adam;
import java.util.Arrays;
import java.util.List;

/// Measures how long a step needs to find out where a gradient is.
final class FindingCost {
  private static final int LAYERS = 50;
  private static final int UNITS = 16;

  /// A round of half a millisecond: most are not interrupted by other programs.
  private static final int REPETITIONS = 100;

  private static final int ROUNDS = 301;

  private FindingCost() {}

  /// Microseconds for each parameter: the median of some rounds after a warm-up.
  static double micros() {
    SequentialBlock block = new SequentialBlock();
    for (int i = 0; i < LAYERS; i++) {
      block.add(Linear.builder().setUnits(UNITS).build());
    }
    try (Model model = Model.newInstance("finding", Device.cpu(), DjlSide.ENGINE)) {
      model.setBlock(block);
      try (PanoptimTrainer trainer =
          PanoptimTrainer.of(model, DjlSide.config(), all -> Adam.builder(all).build())) {
        trainer.initialize(new Shape(1, UNITS));
        backward(trainer);
        trainer.step();
        List<Parameter> parameters = trainer.optimizer().paramGroups().getFirst().parameters();
        double[] rounds = new double[2 * ROUNDS];
        for (int i = 0; i < rounds.length; i++) {
          rounds[i] = round(parameters);
        }
        return Quartiles.median(Arrays.copyOfRange(rounds, ROUNDS, rounds.length));
      }
    }
  }

  private static void backward(PanoptimTrainer trainer) {
    try (NDArray input = trainer.getManager().ones(new Shape(1, UNITS));
        GradientCollector collector = trainer.newGradientCollector()) {
      collector.backward(trainer.forward(new NDList(input)).singletonOrThrow().sum());
    }
  }

  private static double round(List<Parameter> parameters) {
    long start = System.nanoTime();
    for (int i = 0; i < REPETITIONS; i++) {
      parameters.forEach(Parameter::updateGradient);
    }
    return (System.nanoTime() - start) / 1e3 / REPETITIONS / parameters.size();
  }
}
