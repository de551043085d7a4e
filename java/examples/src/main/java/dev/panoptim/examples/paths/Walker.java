package dev.panoptim.examples.paths;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdaBelief;
import dev.panoptim.optim.Adadelta;
import dev.panoptim.optim.Adagrad;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Adan;
import dev.panoptim.optim.Lion;
import dev.panoptim.optim.NAdam;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.OptimizerBuilder;
import dev.panoptim.optim.RmsProp;
import dev.panoptim.optim.Rprop;
import dev.panoptim.optim.Sgd;
import dev.panoptim.optim.Yogi;
import java.awt.Color;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// An optimizer that descends a surface, with learning rates that show its typical behaviour.
enum Walker {
  SGD("SGD", 0x888888, 1e-3, 0.03, Sgd::builder),
  MOMENTUM("SGD, momentum", 0x1f5fa8, 2e-4, 0.01, p -> Sgd.builder(p).momentum(0.9)),
  NESTEROV("Nesterov", 0x56b4e9, 2e-4, 0.01, p -> Sgd.builder(p).momentum(0.9).nesterov(true)),
  ADAGRAD("Adagrad", 0x8a5a2b, 0.3, 0.1, Adagrad::builder),
  RMSPROP("RMSprop", 0x009e73, 0.01, 0.01, RmsProp::builder),
  ADADELTA("Adadelta", 0xb0b000, 3, 2, Adadelta::builder),
  ADAM("Adam", 0xd9541e, 0.05, 0.03, Adam::builder),
  NADAM("NAdam", 0xcc79a7, 0.03, 0.02, NAdam::builder),
  ADAMW("AdamW, decay 0.1", 0x6a3d9a, 0.05, 0.03, p -> AdamW.builder(p).weightDecay(0.1)),
  LION("Lion", 0x000000, 0.005, 0.01, Lion::builder),
  RPROP("Rprop", 0xe31a1c, 0.01, 0.01, Rprop::builder),
  YOGI("Yogi", 0x33a02c, 0.05, 0.03, Yogi::builder),
  ADABELIEF("AdaBelief", 0xff7f00, 0.05, 0.03, AdaBelief::builder),
  ADAN("Adan", 0x17becf, 0.05, 0.03, Adan::builder);

  /// The largest number of steps.
  static final int STEPS = 600;

  final String label;
  final Color color;
  private final double inTheRavine;
  private final double onTheSaddle;
  private final Function<Iterable<Parameter>, OptimizerBuilder<?>> builder;

  Walker(
      String label,
      int color,
      double inTheRavine,
      double onTheSaddle,
      Function<Iterable<Parameter>, OptimizerBuilder<?>> builder) {
    this.label = label;
    this.color = new Color(color);
    this.inTheRavine = inTheRavine;
    this.onTheSaddle = onTheSaddle;
    this.builder = builder;
  }

  /// The visited points from the start until the path leaves the chart or all steps are made.
  List<double[]> walk(Surface surface) {
    List<double[]> path = new ArrayList<>();
    double learningRate = surface == Surface.ROSENBROCK ? inTheRavine : onTheSaddle;
    try (Parameters parameters = Parameters.builder().add("point", 2).build();
        Optimizer optimizer = builder.apply(parameters).learningRate(learningRate).build()) {
      Parameter point = parameters.get("point");
      point.data().setAtIndex(JAVA_FLOAT, 0, (float) surface.startX);
      point.data().setAtIndex(JAVA_FLOAT, 1, (float) surface.startY);
      for (int step = 0; step <= STEPS; step++) {
        double x = point.data().getAtIndex(JAVA_FLOAT, 0);
        double y = point.data().getAtIndex(JAVA_FLOAT, 1);
        if (!surface.contains(x, y)) {
          break;
        }
        path.add(new double[] {x, y});
        double[] gradient = surface.gradient(x, y);
        point.gradient().setAtIndex(JAVA_FLOAT, 0, (float) gradient[0]);
        point.gradient().setAtIndex(JAVA_FLOAT, 1, (float) gradient[1]);
        optimizer.step();
      }
    }
    return path;
  }
}
