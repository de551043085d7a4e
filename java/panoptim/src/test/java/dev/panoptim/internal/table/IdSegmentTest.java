package dev.panoptim.internal.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

/// What a reader gets that comes to a segment late, from an old directory.
class IdSegmentTest {
  private static final long HASH = 0x123456789abcdef0L;
  private static final long ID = Hashes.idWith(HASH);
  private static final long OTHER_HASH = HASH | 1;
  private static final long OTHER_ID = Hashes.idWith(OTHER_HASH);

  @Test
  void readersOfARetiredSegmentLookForAnother() {
    try (Arena arena = Arena.ofShared()) {
      IdSegment segment = new IdSegment(arena.allocate(2 * IdSegment.BYTES, 64), IdSegment.BYTES);
      segment.prepare(0, 0, false);
      assertEquals(IdSegment.CHANGED, segment.find(ID, HASH, false));
      segment.open();
      assertEquals(IdSegment.ABSENT, segment.find(ID, HASH, false));
      segment.put(ID, HASH, 7);
      assertEquals(7, segment.find(ID, HASH, false));
      assertEquals(IdSegment.ABSENT, segment.find(OTHER_ID, OTHER_HASH, false));
      segment.retire();
      assertEquals(IdSegment.CHANGED, segment.find(ID, HASH, false));
      // Now for the hashes that end with 1.
      segment.prepare(1, 1, false);
      assertEquals(IdSegment.CHANGED, segment.find(OTHER_ID, OTHER_HASH, false));
      segment.open();
      assertEquals(IdSegment.CHANGED, segment.find(ID, HASH, false));
      assertEquals(IdSegment.ABSENT, segment.find(OTHER_ID, OTHER_HASH, false));
      segment.put(OTHER_ID, OTHER_HASH, 8);
      assertEquals(8, segment.find(OTHER_ID, OTHER_HASH, false));
    }
  }

  @Test
  void idsAreDividedByTheFirstBitThatTheyDoNotShare() {
    try (Arena arena = Arena.ofShared()) {
      IdSegment[] segments = new IdSegment[3];
      for (int i = 0; i < segments.length; i++) {
        segments[i] = new IdSegment(arena.allocate(IdSegment.BYTES, 64), 0);
        segments[i].prepare(i == 0 ? 1 : 2, i == 2 ? 2 : 0, false);
      }
      IdSegment old = segments[0];
      for (long i = 0; i < IdSegment.MOST_IDS; i++) {
        assertFalse(old.isFull());
        old.put(Hashes.idWith(IdHash.of(i) << 1), IdHash.of(i) << 1, i);
      }
      assertTrue(old.isFull());
      old.copyTo(segments[1], segments[2]);
      segments[1].open();
      segments[2].open();
      for (long i = 0; i < IdSegment.MOST_IDS; i++) {
        long hash = IdHash.of(i) << 1;
        boolean set = (hash & 2) != 0;
        assertEquals(i, segments[set ? 2 : 1].find(Hashes.idWith(hash), hash, false));
        assertEquals(
            IdSegment.CHANGED, segments[set ? 1 : 2].find(Hashes.idWith(hash), hash, false));
      }
    }
  }

  /// The id may be in the first segment of the chain, which the reader would not see.
  @Test
  void aReaderWithAnOldDirectoryDoesNotTakeASegmentOfAChainForTheFirstOne() {
    try (Arena arena = Arena.ofShared()) {
      IdSegment segment = new IdSegment(arena.allocate(IdSegment.BYTES, 64), 0);
      segment.prepare(0, 0, false);
      segment.open();
      segment.retire();
      segment.prepare(0, 0, true);
      segment.open();
      assertEquals(IdSegment.CHANGED, segment.find(ID, HASH, false));
      assertEquals(IdSegment.ABSENT, segment.find(ID, HASH, true));
    }
  }
}
