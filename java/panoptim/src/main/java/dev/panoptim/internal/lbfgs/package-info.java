/// Internal: the parts of L-BFGS that know neither options nor threads: its vectors, the history of
/// steps, and the line search.
package dev.panoptim.internal.lbfgs;
