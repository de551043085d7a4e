/// Internal: how an optimizer makes its steps, and what all engines have in common.
/// - The optimizer's side: [StepExecutor][dev.panoptim.internal.step.StepExecutor] makes steps of
///   tracked groups and parameters, whose states lie in
///   [StateMemory][dev.panoptim.internal.step.StateMemory];
///   [Stage][dev.panoptim.internal.step.Stage] has steps that are more than one elementwise step;
///   [RowClipping][dev.panoptim.internal.step.RowClipping] clips gradients before a step;
///   [Turns][dev.panoptim.internal.step.Turns] orders the threads that use an optimizer.
/// - The engines' side: a [StepPlan][dev.panoptim.internal.step.StepPlan] holds a group's rows,
///   values and what an engine prepared of them. [Engine][dev.panoptim.internal.step.Engine] is the
///   base class of all backends.
///
/// Nothing here knows a type of `dev.panoptim.optim`. The update itself is in `internal.ffm`,
/// `internal.jvm` and `internal.cuda`.
package dev.panoptim.internal.step;
