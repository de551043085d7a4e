/// API: the formulas of optimizers, as data. A [Rule][dev.panoptim.rule.Rule] is a composition of
/// axes such as its moments; its [Hyperparameters][dev.panoptim.rule.Hyperparameters] are its
/// numeric settings. This package neither accesses off-heap memory nor runs steps.
package dev.panoptim.rule;
