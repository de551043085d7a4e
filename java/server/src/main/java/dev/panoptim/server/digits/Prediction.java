package dev.panoptim.server.digits;

import java.util.List;

/// The answer for one image.
///
/// @param labels of the classes
/// @param probabilities of the classes
/// @param generation counts the optimizers, whose steps start from 0
/// @param step the step of the published copy that answered
/// @param torn whether the copy was a mix of two steps, which must not happen
public record Prediction(
    List<String> labels, float[] probabilities, int generation, long step, boolean torn) {
  /// The label of the most probable class.
  public String best() {
    int best = 0;
    for (int i = 1; i < probabilities.length; i++) {
      if (probabilities[i] > probabilities[best]) {
        best = i;
      }
    }
    return labels.get(best);
  }
}
