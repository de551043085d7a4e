package dev.panoptim.internal.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import org.junit.jupiter.api.Test;

/// Removed ids are those that are in the last file, each once.
class IdChangesTest {
  private static void assertChanges(IdChanges changes, long records, long... removed) {
    assertEquals(records, changes.changed().count());
    assertEquals(removed.length, changes.removedCount());
    for (int i = 0; i < removed.length; i++) {
      assertEquals(removed[i], changes.removed(i));
    }
  }

  @Test
  void anIdThatCameAndWentIsNoChange() {
    IdChanges changes = new IdChanges();
    changes.changed(3);
    changes.removed(30, 3);
    assertChanges(changes, 0);
  }

  @Test
  void anIdThatWentAndCameBackIsBoth() {
    IdChanges changes = new IdChanges();
    changes.changed(3);
    changes.written();
    changes.removed(30, 3);
    changes.changed(3);
    assertChanges(changes, 1, 30);
    changes.removed(30, 3);
    assertChanges(changes, 0, 30);
    changes.changed(3);
    changes.written();
    assertChanges(changes, 0);
    changes.removed(30, 3);
    assertChanges(changes, 0, 30);
  }

  @Test
  void manyIdsAreRemoved() {
    IdChanges changes = new IdChanges();
    for (int record = 0; record < 1000; record++) {
      changes.changed(record);
    }
    changes.written();
    long[] expected = new long[1000];
    for (int record = 0; record < 1000; record++) {
      expected[record] = -record;
      changes.removed(-record, record);
    }
    assertChanges(changes, 0, expected);
  }

  @Test
  void afterAFileWithAllRowsTheRecordsInUseAreInIt() {
    try (OwnedArena arena = OwnedArena.of(MemoryKind.PARAMETERS, Origin.here("a test"))) {
      IdRecords records = new IdRecords(1, 0, false, arena);
      IdChanges changes = new IdChanges();
      for (int id = 10; id < 13; id++) {
        records.publish(records.take(id));
      }
      records.free(1);
      changes.reserve(records.count());
      changes.written(records);
      assertChanges(changes, 0);
      changes.removed(10, 0);
      changes.changed(1);
      changes.removed(11, 1);
      assertChanges(changes, 0, 10);
      assertTrue(records.isLive(2));
      assertFalse(changes.changed().contains(2));
    }
  }
}
