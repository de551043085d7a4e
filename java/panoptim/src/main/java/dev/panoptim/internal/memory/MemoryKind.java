package dev.panoptim.internal.memory;

/// The purpose of off-heap memory.
///
/// Immutable and thread-safe.
public enum MemoryKind {
  /// Data of parameters.
  PARAMETERS("parameters"),

  /// Gradients of parameters.
  GRADIENTS("gradients"),

  /// States of optimizers, averages included.
  STATES("states"),

  /// 16-bit copies of parameters.
  HALF_PRECISION_COPIES("half-precision copies"),

  /// Buffers of publications.
  PUBLICATIONS("publications"),

  /// Internal tables, sums and transfer buffers.
  TABLES("tables"),

  /// State dicts, and copies for checkpoints.
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
