/// Internal: functions whose results are correctly rounded, and so the same on every machine. Only
/// schedules need them; no step does.
package dev.panoptim.internal.math;
