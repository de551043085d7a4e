/// API: binds the counts of [Metrics][dev.panoptim.metrics.Metrics] to a registry of Micrometer.
/// The counts themselves are made in `dev.panoptim`.
package dev.panoptim.micrometer;
