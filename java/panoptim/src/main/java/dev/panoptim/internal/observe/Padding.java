package dev.panoptim.internal.observe;

/// A cache line between the counts of one optimizer and what lies before them.
///
/// Immutable.
abstract class Padding {
  long before1;
  long before2;
  long before3;
  long before4;
  long before5;
  long before6;
  long before7;
  long before8;
}
