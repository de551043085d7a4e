package dev.panoptim.internal.step;

import dev.panoptim.rule.Rule;

/// What the steps of a table have in common.
///
/// Immutable.
///
/// @param memory where the rows are
/// @param rule the composition
/// @param rowWise whether each row is divided by the root of one sum, the mean of its squared
///   gradients; the rule then has no states
/// @param replayed the number of missed steps that a row makes one by one; 0 for a table whose rows
///   do not make the steps that they missed
public record TableLayout(TableMemory memory, Rule rule, boolean rowWise, int replayed) {
  /// Whether rows make the steps that they missed.
  public boolean makesMissedSteps() {
    return replayed > 0;
  }
}
