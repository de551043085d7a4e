package dev.panoptim.schedule;

/// The values of a hyperparameter over the steps. [Schedules] creates schedules and [Scheduler]
/// applies them.
///
/// Steps are counted from 0, which is before the first [Scheduler#step()]. The value at a negative
/// step is undefined.
///
/// A custom schedule must depend only on its arguments. Its `toString` must describe the schedule
/// completely and must be the same in every process, because it is compared when a [SchedulerState]
/// is loaded.
///
/// The schedules of this library are immutable and thread-safe; a schedule with a function of the
/// user is thread-safe if the function is.
public interface Schedule {
  /// The value at a step, as a function of the step alone. All arithmetic is in double precision.
  /// If PyTorch has a closed form (`_get_closed_form_lr`), this is its formula with the same order
  /// of operations.
  ///
  /// @param step 0 or more
  /// @param initial the hyperparameter's value when the scheduler was built
  /// @return the value that holds after `step` steps
  double at(long step, double initial);

  /// The value at a step, computed from the value before. If PyTorch has a recurrence (`get_lr`),
  /// this is its formula with the same order of operations. It differs from [#at] by roundings, and
  /// it continues from a value that the user has changed. If PyTorch has no recurrence, this is
  /// [#at].
  ///
  /// @param step 0 or more
  /// @param previous the present value. In a chain it is the result of the previous schedule; at
  ///   step 0 it is otherwise the initial value
  /// @param initial the hyperparameter's value when the scheduler was built
  /// @return the value that holds after `step` steps
  default double next(long step, double previous, double initial) {
    return at(step, initial);
  }
}
