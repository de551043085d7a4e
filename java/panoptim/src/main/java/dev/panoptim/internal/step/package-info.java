/// Internal: what a step works on, and what all backends have in common. It has the rows of a step,
/// the coefficients, the norm decision, and [Engine][dev.panoptim.internal.step.Engine], the base
/// class of all backends. The update itself is in `internal.ffm`, `internal.jvm` and
/// `internal.cuda`.
package dev.panoptim.internal.step;
