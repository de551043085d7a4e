package dev.panoptim.examples.serving;

import java.util.Locale;

/// An answer of the model.
///
/// @param step the number of the step whose parameters it is from
/// @param torn whether the parameters were of more than one step
record Prediction(double value, long step, boolean torn) {
  /// As it stands in a response.
  static final String TORN = "\"torn\": true";

  String json() {
    return String.format(
        Locale.ROOT,
        "{\"answer\": %s, \"step\": %d, %s}%n",
        value,
        step,
        torn ? TORN : "\"torn\": false");
  }
}
