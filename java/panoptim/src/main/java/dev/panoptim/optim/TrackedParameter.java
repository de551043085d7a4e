package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What the optimizer knows of a parameter.
final class TrackedParameter {
  final Parameter parameter;

  /// `null` until the parameter first has a gradient, unless they are shared.
  List<MemorySegment> states;

  /// A copy of the data in 16 bits, `null` where there is none.
  MemorySegment halfPrecisionCopy;

  /// The gradient that the plan knows of, `null` where there was none when it was made.
  MemorySegment plannedGradient;

  /// Bytes from the beginning of a publication's buffer to the copy there; below 0 where there is
  /// none.
  long published = -1;

  /// The count that other processes take part in, `null` where there are none.
  volatile SharedCount shared;

  private long steps;

  /// What the last step's coefficients said of it; 1 without a schedule of the momentum.
  private double momentumProduct = 1;

  /// What becomes of that once the running step is done.
  double nextMomentumProduct = 1;

  TrackedParameter(Parameter parameter) {
    this.parameter = parameter;
  }

  /// Whether the gradient is in another place than the plan knows of. Another segment of the same
  /// memory is no other place: frameworks hand out a new one at each step.
  boolean gradientMoved() {
    MemorySegment now = parameter.gradientOrNull();
    MemorySegment before = plannedGradient;
    return now != before
        && (now == null
            || before == null
            || now.address() != before.address()
            || now.isReadOnly() != before.isReadOnly()
            || !now.scope().equals(before.scope()));
  }

  /// Looks whether others have made steps.
  void refresh() {
    if (shared != null) {
      steps = shared.steps();
      momentumProduct = shared.momentumProduct();
    }
  }

  /// The steps when this was last refreshed.
  long steps() {
    return steps;
  }

  /// The steps now; a running step is not disturbed.
  long currentSteps() {
    SharedCount others = shared;
    return others == null ? steps : others.steps();
  }

  /// Keeps what the count is now for its own.
  void leaveOthers() {
    refresh();
    shared = null;
  }

  double momentumProduct() {
    return momentumProduct;
  }

  void set(long steps, double momentumProduct) {
    this.steps = steps;
    this.momentumProduct = momentumProduct;
    if (shared != null) {
      shared.set(steps, momentumProduct);
    }
  }

  /// Counts the step that was prepared.
  void advance() {
    if (shared != null) {
      shared.advance(momentumProduct, nextMomentumProduct);
    }
    steps++;
    momentumProduct = nextMomentumProduct;
  }

  boolean isAtTheStepOf(TrackedParameter other) {
    return steps == other.steps && momentumProduct == other.momentumProduct;
  }

  /// The states by name. Nothing before the first step, though there may be memory for it.
  Map<String, MemorySegment> namedStates(List<String> names) {
    Map<String, MemorySegment> all = new LinkedHashMap<>();
    if (currentSteps() > 0) {
      for (int i = 0; i < states.size(); i++) {
        all.put(names.get(i), states.get(i));
      }
    }
    return all;
  }
}
