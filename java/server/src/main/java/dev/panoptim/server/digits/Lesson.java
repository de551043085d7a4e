package dev.panoptim.server.digits;

/// An image and its right label, to learn from.
public record Lesson(float[] pixels, String label) {
  /// What a lesson did.
  ///
  /// @param loss the cross-entropy before the step
  /// @param skipped whether nothing changed because a gradient was not finite
  public record Result(double loss, boolean skipped) {}
}
