/// Internal: correctly rounded functions, whose results are the same on every machine. Only
/// schedules use them.
package dev.panoptim.internal.math;
