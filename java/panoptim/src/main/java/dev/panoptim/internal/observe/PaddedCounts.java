package dev.panoptim.internal.observe;

/// The counts of a [StepCounter]. They share no cache line with fields that other threads write,
/// because the JVM lays out fields of a superclass before those of its subclasses.
///
/// Not thread-safe: one thread at a time writes the counts; other threads may read slightly old
/// values.
abstract class PaddedCounts extends Padding {
  long steps;
  long skipped;
  long nanos;

  /// A step is timed if its number has none of these bits; `0` means every step.
  long untimed;
}
