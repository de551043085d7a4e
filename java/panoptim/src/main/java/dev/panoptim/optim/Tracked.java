package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// What the optimizer knows of a parameter.
final class Tracked {
  final Parameter parameter;

  /// `null` until the parameter first has a gradient.
  List<MemorySegment> states;

  /// The gradient that the plan was made for, `null` where there was none.
  MemorySegment plannedGradient;

  long steps;

  /// What the last step's coefficients said of it; 1 without a schedule of the momentum.
  double momentumProduct = 1;

  /// What becomes of that once the running step is done.
  double nextMomentumProduct = 1;

  Tracked(Parameter parameter) {
    this.parameter = parameter;
  }

  boolean isAtTheStepOf(Tracked other) {
    return steps == other.steps && momentumProduct == other.momentumProduct;
  }
}
