package dev.panoptim.internal.table;

import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;

/// The program that [IdIndexMemoryTest] runs in separate processes with a limit of 2 MiB. It fills
/// an index until the limit refuses more memory.
final class IdIndexMemoryProbe {
  private IdIndexMemoryProbe() {}

  public static void main(String[] arguments) {
    try (OwnedArena arena = OwnedArena.of(MemoryKind.TABLES, Origin.here("a test"))) {
      IdIndex index = new IdIndex(arena);
      OwnedArena other = OwnedArena.of(MemoryKind.TABLES, Origin.here("another test"));
      other.allocate(1 << 20, 64);
      long refused = fill(index);
      requireFirst(index, refused);
      require(index.find(refused) == IdIndex.ABSENT, "the refused id was added");
      // Once more, because the first refusal may have left segments in reserve.
      require(fill(index) == refused, "the index took the refused id");
      require(index.remove(0) == 0 && index.find(0) == IdIndex.ABSENT, "0 was not removed");
      index.put(0, 0);
      requireFirst(index, refused);
      other.close();
      long later = fill(index);
      require(later > refused, "the index did not grow");
      requireFirst(index, later);
      System.out.println("DONE with " + refused + " and " + later + " ids");
    }
  }

  /// Adds the ids after the last one, each with its own number as record.
  ///
  /// @return the id that was refused
  private static long fill(IdIndex index) {
    long id = index.size();
    try {
      while (true) {
        index.put(id, id);
        id++;
      }
    } catch (OutOfMemoryError e) {
      require(e.getMessage().contains("bytes for tables are not allocated"), e.getMessage());
      return id;
    }
  }

  private static void requireFirst(IdIndex index, long ids) {
    require(index.size() == ids, "the size is " + index.size() + " instead of " + ids);
    for (long id = 0; id < ids; id++) {
      require(index.find(id) == id, "id " + id + " is not found");
    }
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }
}
