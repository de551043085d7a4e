package dev.panoptim.internal.matrix;

import java.lang.foreign.MemorySegment;

/// Checks and divides workspaces.
final class Workspaces {
  private Workspaces() {}

  /// @throws IllegalArgumentException if the workspace is too small, misaligned, read-only or on
  ///   the heap
  static void require(MemorySegment workspace, long bytes) {
    if (!workspace.isNative()
        || workspace.isReadOnly()
        || workspace.byteSize() < bytes
        || workspace.address() % Products.WORKSPACE_ALIGNMENT != 0) {
      throw new IllegalArgumentException(
          "workspace is %s, but must be at least %s writable bytes off-heap, aligned to %s"
              .formatted(workspace, bytes, Products.WORKSPACE_ALIGNMENT));
    }
  }

  /// The next multiple of the alignment.
  static long aligned(long bytes) {
    return Math.ceilDiv(bytes, Products.WORKSPACE_ALIGNMENT) * Products.WORKSPACE_ALIGNMENT;
  }
}
