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

  /// The small steps up to the next one that is timed.
  long untilTimed;

  /// The number of steps that the duration of the present step counts for.
  long weight;
}
