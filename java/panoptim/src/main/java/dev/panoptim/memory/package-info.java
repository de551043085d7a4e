/// API: the tensors that optimizers update. A [Parameter][dev.panoptim.memory.Parameter] is a name
/// with data and a gradient; [Parameters][dev.panoptim.memory.Parameters] allocates several, laid
/// out for speed, or in a file that processes share. States belong to optimizers, and are not here.
package dev.panoptim.memory;
