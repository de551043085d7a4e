/// Internal: tensors in memory: their layout in slabs, files that several processes map, and the
/// checks of size, alignment, liveness and overlap before native code uses the tensors.
package dev.panoptim.internal.tensor;
