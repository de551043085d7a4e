/// API: optimizers. [Optimizer][dev.panoptim.optim.Optimizer], its presets and builders, parameter
/// groups, options and report of a step, state dicts and publications.
///
/// The formulas of presets are compositions of `dev.panoptim.rule`. The arithmetic is in the
/// backends, below `dev.panoptim.internal`.
package dev.panoptim.optim;
