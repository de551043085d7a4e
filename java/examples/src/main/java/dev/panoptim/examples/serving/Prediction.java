package dev.panoptim.examples.serving;

import java.util.Locale;

/// An answer of the model.
///
/// @param step number of the step that produced the parameters
/// @param torn whether the parameters were of more than one step
record Prediction(double value, long step, boolean torn) {
  /// The property of a torn answer in a response.
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
