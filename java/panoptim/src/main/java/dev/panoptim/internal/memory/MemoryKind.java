package dev.panoptim.internal.memory;

/// What off-heap memory is held for.
///
/// Immutable.
public enum MemoryKind {
  /// Data of parameters.
  PARAMETERS("parameters"),

  /// Gradients of parameters.
  GRADIENTS("gradients"),

  /// States of optimizers, averages included.
  STATES("states"),

  /// Copies of parameters in 16 bits.
  HALF_PRECISION_COPIES("half-precision copies"),

  /// Buffers of publications.
  PUBLICATIONS("publications"),

  /// What the library needs for itself: tables, sums, buffers for transfers.
  TABLES("tables"),

  /// State dicts, and what is copied to be saved.
  COPIES("copies");

  private final String words;

  MemoryKind(String words) {
    this.words = words;
  }

  @Override
  public String toString() {
    return words;
  }
}
