package dev.panoptim.internal.memory;

import java.lang.foreign.MemorySegment;

/// Checks and divides workspaces: memory that operations use and that callers provide.
///
/// Thread-safe.
public final class Workspaces {
  /// Of a workspace and of its parts, in bytes. A test compares it with
  /// `PANOPTIM_WORKSPACE_ALIGNMENT`.
  public static final long ALIGNMENT = 64;

  private Workspaces() {}

  /// @throws IllegalArgumentException if the workspace is too small, misaligned, read-only or on
  ///   the heap
  public static void require(MemorySegment workspace, long bytes) {
    if (!workspace.isNative()
        || workspace.isReadOnly()
        || workspace.byteSize() < bytes
        || workspace.address() % ALIGNMENT != 0) {
      throw new IllegalArgumentException(
          "workspace is %s, but must be at least %s writable bytes off-heap, aligned to %s"
              .formatted(workspace, bytes, ALIGNMENT));
    }
  }

  /// The next multiple of the alignment.
  public static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }
}
