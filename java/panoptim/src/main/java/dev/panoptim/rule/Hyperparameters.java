package dev.panoptim.rule;

import java.util.EnumMap;
import java.util.Map;
import java.util.Set;

/// The values of a rule's hyperparameters. All values are checked when they are set.
///
/// Not thread-safe.
public final class Hyperparameters {
  private final Rule rule;
  private final Set<Hyperparameter> open;
  private final double[] values = new double[Hyperparameter.values().length];
  private long version;

  /// @param rule determines the hyperparameters
  /// @param values one for each hyperparameter of the rule, and no others
  /// @throws IllegalArgumentException if a value is missing, does not belong to the rule, is out of
  ///   range or does not fit the others
  public Hyperparameters(Rule rule, Map<Hyperparameter, Double> values) {
    this.rule = rule;
    open = rule.hyperparameters();
    for (Hyperparameter each : open) {
      if (!values.containsKey(each)) {
        throw new IllegalArgumentException(each + " has no value, but the rule needs one");
      }
    }
    setAll(values);
  }

  private Hyperparameters(Hyperparameters other) {
    rule = other.rule;
    open = other.open;
    System.arraycopy(other.values, 0, values, 0, values.length);
  }

  /// A copy with some values replaced; this object is not changed.
  ///
  /// @throws IllegalArgumentException if the rule has none of a name, or a value is out of range or
  ///   does not fit the others
  public Hyperparameters with(Map<Hyperparameter, Double> overrides) {
    Hyperparameters copy = new Hyperparameters(this);
    copy.setAll(overrides);
    return copy;
  }

  /// Changes several values at once, or none if one does not fit.
  ///
  /// @throws IllegalArgumentException if the rule has none of a name, or a value is out of range or
  ///   does not fit the others
  public void setAll(Map<Hyperparameter, Double> changes) {
    changes.forEach((each, value) -> requireOpen(each).check(value));
    double[] before = values.clone();
    changes.forEach((each, value) -> values[each.ordinal()] = value);
    try {
      requireConsistent();
    } catch (IllegalArgumentException e) {
      System.arraycopy(before, 0, values, 0, values.length);
      throw e;
    }
    version++;
  }

  /// Checks combinations of values; each value has been checked alone.
  private void requireConsistent() {
    double momentum = orZero(Hyperparameter.MOMENTUM);
    double dampening = orZero(Hyperparameter.DAMPENING);
    if (rule.nesterov() == Nesterov.NESTEROV
        && rule.firstMoment() == FirstMoment.HEAVY_BALL
        && (momentum == 0 || dampening != 0)) {
      throw new IllegalArgumentException(
          "nesterov needs a momentum above 0 and a dampening of 0, but momentum is %s and dampening %s"
              .formatted(momentum, dampening));
    }
    double learningRate = orZero(Hyperparameter.LEARNING_RATE);
    if (rule.update() == Update.PROXIMAL && learningRate == 0) {
      throw new IllegalArgumentException(
          "learningRate is 0.0, but a proximal update divides by it: it must be above 0");
    }
    double iterations = orZero(Hyperparameter.ITERATIONS);
    if (iterations != Math.rint(iterations)) {
      throw new IllegalArgumentException(
          "iterations is %s, but must be a whole number".formatted(iterations));
    }
    double smallest = orZero(Hyperparameter.SMALLEST_STEP);
    double largest = orZero(Hyperparameter.LARGEST_STEP);
    if (smallest > largest) {
      throw new IllegalArgumentException(
          "smallestStep is %s, but must not be above largestStep, which is %s"
              .formatted(smallest, largest));
    }
  }

  private Hyperparameter requireOpen(Hyperparameter each) {
    if (!open.contains(each)) {
      throw new IllegalArgumentException(
          "%s is not a hyperparameter of this rule, which has %s".formatted(each, open));
    }
    return each;
  }

  /// The values by name; a copy.
  public Map<Hyperparameter, Double> asMap() {
    Map<Hyperparameter, Double> all = new EnumMap<>(Hyperparameter.class);
    open.forEach(each -> all.put(each, get(each)));
    return all;
  }

  /// The rule that determines the hyperparameters.
  public Rule rule() {
    return rule;
  }

  /// The hyperparameters of the rule.
  public Set<Hyperparameter> names() {
    return Set.copyOf(open);
  }

  /// @throws IllegalArgumentException if the rule has none of that name
  public double get(Hyperparameter name) {
    return values[requireOpen(name).ordinal()];
  }

  /// Changes one value, and allocates nothing.
  ///
  /// @throws IllegalArgumentException if the rule has none of that name, or the value is out of
  ///   range or does not fit the others; nothing has changed then
  public void set(Hyperparameter name, double value) {
    requireOpen(name).check(value);
    double before = values[name.ordinal()];
    values[name.ordinal()] = value;
    try {
      requireConsistent();
    } catch (IllegalArgumentException e) {
      values[name.ordinal()] = before;
      throw e;
    }
    version++;
  }

  /// A number that grows whenever values are set. While it is constant, so are all values, and
  /// results computed from them stay valid.
  public long version() {
    return version;
  }

  /// Whether parameters decay: the weight decay or ASGD's `lambd` is not 0.
  public boolean decays() {
    return orZero(Hyperparameter.WEIGHT_DECAY) != 0 || orZero(Hyperparameter.LAMBD) != 0;
  }

  /// The value, or 0 if the rule does not have this hyperparameter.
  public double orZero(Hyperparameter name) {
    return values[name.ordinal()];
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (Hyperparameter each : open) {
      text.append(text.isEmpty() ? "" : ", ").append(each).append(' ').append(get(each));
    }
    return text.toString();
  }
}
