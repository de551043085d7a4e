/// API: reads and writes safetensors files, named tensors that are mapped into memory without a
/// copy. Knows nothing of optimizers.
package dev.panoptim.safetensors;
