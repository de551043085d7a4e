/// API: the formulas of optimizers, as data. A [Rule][dev.panoptim.rule.Rule] is a composition of
/// axes such as its moments; its [Hyperparameters][dev.panoptim.rule.Hyperparameters] are the
/// numbers that it leaves open. Nothing here touches memory or runs a step.
package dev.panoptim.rule;
