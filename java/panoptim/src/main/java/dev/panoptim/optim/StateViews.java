package dev.panoptim.optim;

import dev.panoptim.internal.step.StateMemory;
import dev.panoptim.internal.step.TrackedParameter;
import dev.panoptim.internal.step.TrackedParameters;
import dev.panoptim.internal.step.Turns;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/// Read-only, live views of a parameter's states, which [Optimizer] returns.
final class StateViews {
  private final StateMemory memory;
  private final TrackedParameters parameters;
  private final Turns turns;

  StateViews(StateMemory memory, TrackedParameters parameters, Turns turns) {
    this.memory = memory;
    this.parameters = parameters;
    this.turns = turns;
  }

  long stepCount(Parameter parameter) {
    return find(parameter).currentSteps();
  }

  Map<String, MemorySegment> states(Parameter parameter) {
    turns.requireOpen();
    TrackedParameter found = find(parameter);
    Map<String, MemorySegment> named = found.namedStates(memory.names(found.group()));
    named.replaceAll((name, state) -> state.asReadOnly());
    return named;
  }

  MemorySegment average(Parameter parameter) {
    MemorySegment average = states(parameter).get(StateMemory.AVERAGE);
    if (average == null) {
      throw new IllegalStateException(
          memory.format().averages()
              ? parameter + " has made no step"
              : "parameters are not averaged");
    }
    return average;
  }

  boolean hasHalfPrecisionCopies() {
    return memory.format().halfPrecision() != null;
  }

  MemorySegment halfPrecisionCopy(Parameter parameter) {
    turns.requireOpen();
    TrackedParameter found = find(parameter);
    if (!hasHalfPrecisionCopies() || found.currentSteps() == 0) {
      throw new IllegalStateException(
          hasHalfPrecisionCopies()
              ? parameter + " has made no step"
              : "there are no copies in 16 bits");
    }
    return found.halfPrecisionCopy().asReadOnly();
  }

  private TrackedParameter find(Parameter parameter) {
    TrackedParameter found = parameters.find(parameter);
    turns.settle();
    return found;
  }
}
