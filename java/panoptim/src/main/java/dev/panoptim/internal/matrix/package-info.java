/// Internal: products of float matrices that have the same bits on every backend, and the
/// Newton-Schulz iteration of Muon on top of them.
///
/// [Products][dev.panoptim.internal.matrix.Products] has the law of the bits and three
/// implementations; [ScalarProducts][dev.panoptim.internal.matrix.ScalarProducts] is the readable
/// specification. This package does not depend on steps or engines.
package dev.panoptim.internal.matrix;
