package dev.panoptim.internal.matrix;

import dev.panoptim.internal.memory.Workspaces;
import java.lang.foreign.MemorySegment;

/// Prepares matrix products. All implementations reach the same bits at any number of threads; they
/// differ in speed.
///
/// The law of the bits: element (i, j) of a product of depth K is one chain of fused multiply-adds
/// in ascending order of k, and one more operation at its end:
///
/// ```
/// sum = 0;  for k from 0 to K - 1: sum = fma(left(i, k), right(k, j), sum)
/// output(i, j) = fma(alpha, sum, beta * added(i, j))
/// ```
///
/// With beta = 0, the last operand is 0 and no added matrix is read. A NaN is stored as
/// `0x7fc00000`. A symmetric product computes the elements on the diagonal and right of it, and
/// mirrors them. The mirrored bits are equal, because the operands of a multiplication may be
/// exchanged. The square of a symmetric matrix is such a product.
///
/// Thread-safe.
public interface Products {
  /// For messages.
  String name();

  /// The bytes of the workspace that products of this shape need.
  ///
  /// @param threads as for [#prepare]
  /// @throws IllegalArgumentException if `threads` is out of its range
  long workspaceBytes(ProductShape shape, int threads);

  /// Prepares products.
  ///
  /// @param workspace off-heap memory of at least [#workspaceBytes], aligned to
  ///   [Workspaces#ALIGNMENT]. Products that are not computed at the same time may share it
  /// @param threads the most threads that take part in a call, including the calling one, from 1 to
  ///   [dev.panoptim.backend.Backend#MOST_THREADS]
  /// @throws IllegalArgumentException if the workspace is too small, misaligned, read-only or on
  ///   the heap, `threads` is out of its range, or the matrices and the workspace lie in more than
  ///   four arenas
  Product prepare(Operands operands, MemorySegment workspace, int threads);
}
