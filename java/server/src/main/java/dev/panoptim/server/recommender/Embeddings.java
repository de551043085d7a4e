package dev.panoptim.server.recommender;

import java.lang.foreign.MemorySegment;

/// A vector of floats for each 64-bit id. An id that is new has a random vector.
///
/// Any thread may read, one thread at a time may step.
public interface Embeddings extends AutoCloseable {
  /// The floats of a vector.
  int width();

  /// Copies the vectors of ids, one after the other.
  void gather(long[] ids, MemorySegment target);

  /// Updates the vectors of ids. Gradients of an id that is given more than once are added.
  ///
  /// @param gradients as [#gather] places vectors
  void step(long[] ids, MemorySegment gradients);

  /// The ids that have a vector of their own.
  long size();

  /// Bytes outside the Java heap.
  long bytes();

  @Override
  void close();
}
