/// API: reads and writes safetensors files, named tensors that are mapped into memory without a
/// copy. The package does not depend on optimizers.
package dev.panoptim.safetensors;
