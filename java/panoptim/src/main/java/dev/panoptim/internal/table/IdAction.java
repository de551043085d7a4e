package dev.panoptim.internal.table;

/// Receives the ids of an [IdIndex] with their records.
///
/// As thread-safe as its implementation.
@FunctionalInterface
public interface IdAction {
  /// @param id any number
  /// @param record the number of the id's record, 0 or more
  void accept(long id, long record);
}
