/// Internal: operations on long vectors of floats, in host memory. The engines implement them with
/// the same bits.
package dev.panoptim.internal.vector;
