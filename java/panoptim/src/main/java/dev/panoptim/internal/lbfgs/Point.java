package dev.panoptim.internal.lbfgs;

import java.lang.foreign.MemorySegment;

/// An evaluated point of a line.
///
/// Immutable, but its vector may be reused. Thread-safe if the vector is.
///
/// @param t the distance from the start, in lengths of the direction
/// @param loss positive infinity if the loss or the gradient is not finite
/// @param slope the derivative of the loss along the direction
/// @param gradient the gradient, a vector
public record Point(double t, double loss, double slope, MemorySegment gradient) {}
