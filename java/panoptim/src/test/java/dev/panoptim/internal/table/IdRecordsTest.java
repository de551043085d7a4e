package dev.panoptim.internal.table;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.table.IdRecords.Reading;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/// Readers see a record from its publication until it is freed.
class IdRecordsTest {
  private static final MemorySegment TARGET = MemorySegment.ofArray(new float[3]);

  @Test
  void aRecordThatWasFreedBeforeItsPublicationCanBeTakenAgain() {
    try (OwnedArena arena = OwnedArena.of(MemoryKind.PARAMETERS, Origin.here("a test"))) {
      IdRecords records = new IdRecords(3, 0, false, arena);
      long record = records.take(5);
      assertEquals(Reading.CHANGED, records.read(record, 5, 0, TARGET, 0));
      records.free(record);
      assertEquals(record, records.take(6));
      assertEquals(Reading.CHANGED, records.read(record, 6, 0, TARGET, 0));
      records.lastStep(record, 7);
      records.publish(record);
      assertEquals(Reading.WHOLE, records.read(record, 6, 7, TARGET, 0));
      assertEquals(Reading.EXPIRED, records.read(record, 6, 8, TARGET, 0));
      assertEquals(Reading.CHANGED, records.read(record, 5, 0, TARGET, 0));
      records.free(record);
      assertEquals(Reading.CHANGED, records.read(record, 6, 0, TARGET, 0));
    }
  }
}
