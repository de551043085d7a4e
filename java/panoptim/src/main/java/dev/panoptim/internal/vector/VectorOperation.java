package dev.panoptim.internal.vector;

/// The operations, in the order of the codes `PANOPTIM_VECTOR_...`, which also define them.
///
/// Immutable and thread-safe.
public enum VectorOperation {
  DOT,
  SUM_ABSOLUTE,
  LARGEST,
  ADD,
  SCALE
}
