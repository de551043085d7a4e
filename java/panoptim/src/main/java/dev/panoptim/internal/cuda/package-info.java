/// Internal: the backends for GPUs, whether the states lie on the device or in the memory of the
/// host. The kernels are in `native/src/cuda`; allocation and copies are in `dev.panoptim.device`.
package dev.panoptim.internal.cuda;
