package dev.panoptim.internal.lbfgs;

import java.lang.foreign.MemorySegment;

/// A step and the change of the gradient over it, as the history of L-BFGS keeps them.
///
/// Thread-safe if its vectors are.
///
/// @param step the step s, a vector
/// @param change the change y of the gradient, a vector
/// @param inverse the factor 1 / (y's)
public record Pair(MemorySegment step, MemorySegment change, double inverse) {}
