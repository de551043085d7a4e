package dev.panoptim.internal.step;

import dev.panoptim.internal.factored.AdaptiveClipping;
import dev.panoptim.internal.tensor.Shapes;
import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// A parameter of an optimizer with its states and step count.
///
/// Not thread-safe, but for [#currentSteps].
public final class TrackedParameter {
  /// The scalars of most rules. Shared, so that a step of many parameters reads no empty array of
  /// each.
  private static final double[] NONE = {};

  final Parameter parameter;
  final TrackedGroup group;

  /// `null` until the parameter first has a gradient, unless they are shared.
  List<MemorySegment> states;

  /// A copy of the data in 16 bits, `null` where there is none.
  MemorySegment halfPrecisionCopy;

  /// Clips the rows of the gradient; `null` until that is first asked for. See [RowClipping].
  AdaptiveClipping clipping;

  /// Whether the parameter has a row in the plans of whole steps.
  boolean hasRow;

  /// The factor of the parameter's last step; 1 if the rule has none. See
  /// [dev.panoptim.rule.Rule#isMeasured()].
  double factor = 1;

  private long published = -1;

  /// Whether a measurement of the curvature gave the states values before the first step.
  private boolean measured;

  /// The place of [Rule#EVALUATION] among the scalars; negative if there is none.
  private final int evaluation;

  /// The count that other processes take part in, `null` where there are none.
  volatile SharedCount shared;

  private long steps;

  /// In the order of [Rule#scalarNames()].
  private final double[] scalars;

  /// The scalars after the running step.
  private final double[] nextScalars;

  /// @param group the group that has the parameter
  TrackedParameter(Parameter parameter, TrackedGroup group) {
    this.parameter = parameter;
    this.group = group;
    scalars =
        group.scalarNames.isEmpty()
            ? NONE
            : group.scalarNames.stream().mapToDouble(Rule::initialScalar).toArray();
    nextScalars = scalars == NONE ? NONE : scalars.clone();
    evaluation = group.scalarNames.indexOf(Rule.EVALUATION);
  }

  /// The group that has the parameter.
  public TrackedGroup group() {
    return group;
  }

  public Parameter parameter() {
    return parameter;
  }

  /// The parameter's name.
  public String name() {
    return parameter.name();
  }

  /// The bytes of the data.
  public long bytes() {
    return parameter.size() * Float.BYTES;
  }

  /// The number of elements of a state.
  ///
  /// @param name one of [StateMemory#names(TrackedGroup)]
  public long stateSize(String name) {
    return name.equals(StateMemory.AVERAGE)
        ? parameter.size()
        : Shapes.size(name(), group.rule().stateShape(name, parameter.shape()));
  }

  /// The bytes of a state; see [#stateSize].
  public long stateBytes(String name) {
    return stateSize(name) * Float.BYTES;
  }

  /// In the order of [StateMemory#names(TrackedGroup)]; `null` before the parameter first has a
  /// gradient, unless the states are shared.
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

  /// The factor of the parameter's last step; 1 if the rule has none.
  public double factor() {
    return factor;
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
      shared.readScalars(scalars);
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

  /// The scalars when this was last refreshed. The caller does not change the array.
  double[] scalars() {
    return scalars;
  }

  /// The scalars by name, when this was last refreshed.
  public Map<String, Double> namedScalars() {
    Map<String, Double> all = new LinkedHashMap<>();
    for (int i = 0; i < scalars.length; i++) {
      all.put(group.scalarNames.get(i), scalars[i]);
    }
    return all;
  }

  /// Whether the parameter lies at the average now, instead of where gradients are computed.
  boolean isEvaluated() {
    refresh();
    return evaluation >= 0 && scalars[evaluation] != 0;
  }

  /// The parameter, which has the scalar [Rule#EVALUATION], has been moved.
  ///
  /// @param now whether it lies at the average
  void setEvaluated(boolean now) {
    refresh();
    scalars[evaluation] = now ? 1 : 0;
    if (shared != null) {
      shared.setScalar(evaluation, scalars[evaluation]);
    }
  }

  /// @param now whether the states have values though there has been no step
  public void setMeasured(boolean now) {
    measured = now;
  }

  /// Sets the scalars after the step that is being prepared; [#advance] makes them valid.
  ///
  /// @param prepared at least as many as the rule has
  void nextScalars(double[] prepared) {
    if (nextScalars != NONE) {
      System.arraycopy(prepared, 0, nextScalars, 0, nextScalars.length);
    }
  }

  /// @param steps the number of steps so far
  /// @param named a value for each scalar of the rule
  public void set(long steps, Map<String, Double> named) {
    this.steps = steps;
    for (int i = 0; i < scalars.length; i++) {
      scalars[i] = named.get(group.scalarNames.get(i));
    }
    if (shared != null) {
      shared.set(steps, scalars);
    }
  }

  /// Sets steps and scalars to those before the first step.
  void reset() {
    set(0, group.scalarNames.stream().collect(Collectors.toMap(name -> name, Rule::initialScalar)));
  }

  /// Counts the step that was prepared.
  void advance() {
    if (shared != null) {
      shared.advance(scalars, nextScalars);
    }
    measured = false;
    steps++;
    if (scalars != NONE) {
      System.arraycopy(nextScalars, 0, scalars, 0, scalars.length);
    }
  }

  /// Whether steps and scalars are those of another parameter of the group, bit for bit.
  boolean isAtTheStepOf(TrackedParameter other) {
    return steps == other.steps && (scalars == NONE || hasScalarsOf(other));
  }

  private boolean hasScalarsOf(TrackedParameter other) {
    for (int i = 0; i < scalars.length; i++) {
      if (Double.doubleToRawLongBits(scalars[i]) != Double.doubleToRawLongBits(other.scalars[i])) {
        return false;
      }
    }
    return true;
  }

  /// The states by name. Nothing before the first step or measurement of the curvature, though
  /// there may be memory for it.
  public Map<String, MemorySegment> namedStates(List<String> names) {
    Map<String, MemorySegment> all = new LinkedHashMap<>();
    if (measured || currentSteps() > 0) {
      for (int i = 0; i < states.size(); i++) {
        all.put(names.get(i), states.get(i));
      }
    }
    return all;
  }
}
