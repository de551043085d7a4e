package dev.panoptim.internal.table;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/// Finds the segment of an [IdIndex] for a hash: the directory of extendible hashing.
///
/// The last bits of a hash choose an entry. A segment of a smaller depth than the directory has
/// several entries. To double the directory is to append a copy of itself, which is fast: with the
/// first bits instead, each entry would have to be repeated.
///
/// Source: Ronald Fagin, Jurg Nievergelt, Nicholas Pippenger and H. Raymond Strong, "Extendible
/// Hashing - A Fast Access Method for Dynamic Files", ACM Transactions on Database Systems 4
/// (1979).
///
/// One thread writes. Any thread may call [#segment].
final class IdDirectory {
  private static final VarHandle ENTRY = MethodHandles.arrayElementVarHandle(IdSegment[].class);
  private static final VarHandle ENTRIES;

  static {
    try {
      ENTRIES =
          MethodHandles.lookup().findVarHandle(IdDirectory.class, "entries", IdSegment[].class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /// The length is a power of two.
  private IdSegment[] entries;

  /// @param first covers all hashes
  IdDirectory(IdSegment first) {
    entries = new IdSegment[] {first};
  }

  /// The segment for a hash. It may be retired at any time; then this method returns another one.
  IdSegment segment(long hash) {
    // Acquire: what the writer wrote before it published the array, and the segment, is visible.
    IdSegment[] now = (IdSegment[]) ENTRIES.getAcquire(this);
    return (IdSegment) ENTRY.getAcquire(now, (int) hash & now.length - 1);
  }

  /// Makes the directory at least as deep as a segment that will be published.
  ///
  /// @param depth at most one more than the largest depth of a segment
  void reserve(int depth) {
    IdSegment[] old = entries;
    if (old.length < 1 << depth) {
      IdSegment[] twice = Arrays.copyOf(old, 2 * old.length);
      System.arraycopy(old, 0, twice, old.length, old.length);
      ENTRIES.setRelease(this, twice);
    }
  }

  /// Publishes a segment for the hashes that it covers. The directory has been reserved for its
  /// depth.
  void publish(IdSegment segment) {
    IdSegment[] now = entries;
    for (int i = segment.lastBits(); i < now.length; i += 1 << segment.depth()) {
      ENTRY.setRelease(now, i, segment);
    }
  }

  /// Passes all ids to an action. Only the writer may call this.
  void forEach(IdAction action) {
    IdSegment[] now = entries;
    for (int i = 0; i < now.length; i++) {
      // The first of the entries of a segment.
      if (now[i].lastBits() == i) {
        for (IdSegment each = now[i]; each != null; each = each.next()) {
          each.forEach(action);
        }
      }
    }
  }
}
