/// Internal: off-heap memory that is counted by kind, limited, and freed also if it is never
/// closed. How tensors are laid out in it is in `internal.tensor`.
package dev.panoptim.internal.memory;
