/// Internal: second moments of matrices that are factored into means of rows and columns, as in
/// [Adafactor](https://arxiv.org/abs/1804.04235), and clipping by the norms of rows, in host
/// memory. The engines implement the operations with the same bits.
package dev.panoptim.internal.factored;
