package dev.panoptim.internal.factored;

/// The two common forms of [Adafactor](https://arxiv.org/abs/1804.04235), which differ in the place
/// of the first epsilon.
///
/// Immutable and thread-safe.
public enum MomentForm {
  /// [PyTorch's](https://docs.pytorch.org/docs/stable/generated/torch.optim.Adafactor.html) form:
  /// epsilon is the least mean of all rows, and its square the least second moment. The default
  /// there is the machine epsilon, 2^-23 for floats.
  PYTORCH,

  /// [Transformers'](https://huggingface.co/docs/transformers/main_classes/optimizer_schedules)
  /// form: epsilon is added to each square. The default there is 1e-30.
  TRANSFORMERS;

  static void requireEpsilon(double epsilon) {
    if (!(epsilon >= 0 && epsilon < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "epsilon is " + epsilon + ", but must be 0 or more and finite");
    }
  }

  static void requireBeta(double beta2) {
    if (!(beta2 >= 0 && beta2 <= 1)) {
      throw new IllegalArgumentException("beta2 is " + beta2 + ", but must be from 0 to 1");
    }
  }
}
