/// Internal: off-heap memory that is counted by kind, limited, and freed even if it is never
/// closed. The layout of tensors in this memory is in `internal.tensor`.
package dev.panoptim.internal.memory;
