package dev.panoptim.schedule;

/// What becomes of a hyperparameter from step to step. [Schedules] makes them, [Scheduler] applies
/// them.
///
/// Steps are counted from 0, which is before the first [Scheduler#step()]. A step below 0 is for no
/// schedule; what it gives is not defined.
///
/// An implementation of one's own must depend on nothing but its arguments, and its `toString` must
/// describe it completely and be the same in every process: it is compared when a [SchedulerState]
/// is loaded.
///
/// Immutable and thread-safe, as far as functions that the user gives are.
public interface Schedule {
  /// The value from an optimizer step on. All arithmetic is in double. Where PyTorch has a closed
  /// form (`_get_closed_form_lr`), it is this one, in the order of its operations.
  ///
  /// @param step 0 or more
  /// @param initial the hyperparameter's value when the scheduler was built
  double at(long step, double initial);

  /// The value from an optimizer step on, by the value before it. Where PyTorch has a recurrence
  /// (`get_lr`), it is this one, in the order of its operations; it differs from [#at] by
  /// roundings, and goes on from a value that the user has changed. Elsewhere it is [#at].
  ///
  /// @param step 0 or more
  /// @param previous the present value; at step 0 the initial one, or what a schedule that is
  ///   applied before this one has made of it
  /// @param initial the hyperparameter's value when the scheduler was built
  default double next(long step, double previous, double initial) {
    return at(step, initial);
  }
}
