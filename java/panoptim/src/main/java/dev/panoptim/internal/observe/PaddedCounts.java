package dev.panoptim.internal.observe;

/// The numbers of a [StepCounter], which share no cache line with what other threads write: the
/// fields of a class lie between those of the class above and those of the class below.
///
/// Not thread-safe: one thread at a time writes; others may read numbers that are a moment old.
abstract class PaddedCounts extends Padding {
  long steps;
  long skipped;
  long nanos;

  /// A step is timed where its number has none of these bits; `0` for every step.
  long untimed;
}
