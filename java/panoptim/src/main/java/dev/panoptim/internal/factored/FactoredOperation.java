package dev.panoptim.internal.factored;

/// The operations, in the order of the codes `PANOPTIM_FACTORED_...`, which also define them.
///
/// Immutable and thread-safe.
public enum FactoredOperation {
  SUMS,
  SCALE,
  VECTOR
}
