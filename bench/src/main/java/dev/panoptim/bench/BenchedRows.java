package dev.panoptim.bench;

import dev.panoptim.rows.RowOptimizer;
import java.util.Locale;

/// An optimizer of rows, with arguments that PyTorch has too.
public enum BenchedRows {
  ADAGRAD(
      1,
      false,
      RowOptimizer.adagrad(0.05).initialAccumulator(0.1),
      "Adagrad(p, lr=0.05, initial_accumulator_value=0.1)"),
  ROW_WISE_ADAGRAD(0, true, RowOptimizer.rowWiseAdagrad(0.05).initialAccumulator(0.1), null),
  ADAM(2, false, RowOptimizer.adam(1e-3), "SparseAdam(p, lr=1e-3)");

  /// The states of a row that are as long as the row.
  final int states;

  /// Whether a row has one float of state.
  final boolean sums;

  final RowOptimizer optimizer;
  private final String inPyTorch;

  /// @param inPyTorch an expression over p, the list of parameters; `null` if there is none
  BenchedRows(int states, boolean sums, RowOptimizer optimizer, String inPyTorch) {
    this.states = states;
    this.sums = sums;
    this.optimizer = optimizer;
    this.inPyTorch = inPyTorch;
  }

  String inPyTorch() {
    return inPyTorch;
  }

  /// The name in reports, such as `row wise adagrad`.
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
