/// API: schedules that change hyperparameters from step to step.
/// [Schedules][dev.panoptim.schedule.Schedules] makes them, a
/// [Scheduler][dev.panoptim.schedule.Scheduler] applies them to the groups of an optimizer.
/// Correctly rounded functions are in `dev.panoptim.internal.math`.
package dev.panoptim.schedule;
