/// API: counts of steps, publications, checkpoints and memory of this process:
/// [Metrics][dev.panoptim.metrics.Metrics]. The counting itself is in
/// `dev.panoptim.internal.observe` and `dev.panoptim.internal.memory`.
package dev.panoptim.metrics;
