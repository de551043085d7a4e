package dev.panoptim.internal.observe;

/// A cache line of padding before the counts of one optimizer.
///
/// Its fields are never written; thread-safe.
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
