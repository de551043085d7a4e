package dev.panoptim.internal.step;

import dev.panoptim.memory.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A parameter of an optimizer with its states and step count.
///
/// Not thread-safe, but for [#currentSteps].
public final class TrackedParameter {
  final Parameter parameter;
  final TrackedGroup group;

  /// `null` until the parameter first has a gradient, unless they are shared.
  List<MemorySegment> states;

  /// A copy of the data in 16 bits, `null` where there is none.
  MemorySegment halfPrecisionCopy;

  /// Whether the parameter has a row in the plans of whole steps.
  boolean hasRow;

  private long published = -1;

  /// The count that other processes take part in, `null` where there are none.
  volatile SharedCount shared;

  private long steps;

  /// What the last step's coefficients said of it; 1 without a schedule of the momentum.
  private double momentumProduct = 1;

  /// What becomes of that once the running step is done.
  double nextMomentumProduct = 1;

  /// @param group the group that has the parameter
  TrackedParameter(Parameter parameter, TrackedGroup group) {
    this.parameter = parameter;
    this.group = group;
  }

  public Parameter parameter() {
    return parameter;
  }

  /// The parameter's name.
  public String name() {
    return parameter.name();
  }

  /// The bytes of the data, and of each state.
  public long bytes() {
    return parameter.size() * Float.BYTES;
  }

  /// In the order of [StateMemory#names]; `null` before the parameter first has a gradient, unless
  /// the states are shared.
  public List<MemorySegment> states() {
    return states;
  }

  /// `null` if there is none.
  public MemorySegment halfPrecisionCopy() {
    return halfPrecisionCopy;
  }

  /// Whether the parameter has a row in the plans of whole steps.
  public boolean hasRow() {
    return hasRow;
  }

  /// Bytes from the beginning of a publication's buffer to the copy there; negative if the
  /// parameter is not published.
  public long published() {
    return published;
  }

  public void publishAt(long offset) {
    published = offset;
  }

  /// Reads the count again if other processes take part in it.
  public void refresh() {
    if (shared != null) {
      steps = shared.steps();
      momentumProduct = shared.momentumProduct();
    }
  }

  /// The steps when this was last refreshed.
  public long steps() {
    return steps;
  }

  /// The steps now, for any thread; a running step is not disturbed.
  public long currentSteps() {
    SharedCount others = shared;
    return others == null ? steps : others.steps();
  }

  /// Keeps what the count is now for its own.
  void leaveOthers() {
    refresh();
    shared = null;
  }

  public double momentumProduct() {
    return momentumProduct;
  }

  public void set(long steps, double momentumProduct) {
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
  public Map<String, MemorySegment> namedStates(List<String> names) {
    Map<String, MemorySegment> all = new LinkedHashMap<>();
    if (currentSteps() > 0) {
      for (int i = 0; i < states.size(); i++) {
        all.put(names.get(i), states.get(i));
      }
    }
    return all;
  }
}
