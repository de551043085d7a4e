package dev.panoptim.internal.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// A set of row numbers has what was added and not removed.
class RowSetTest {
  @Test
  void itAgreesWithATreeSet() {
    SplittableRandom random = new SplittableRandom(5);
    RowSet set = new RowSet(0);
    TreeSet<Long> expected = new TreeSet<>();
    for (int i = 0; i < 20_000; i++) {
      long row = random.nextLong(1 + i / 10);
      switch (random.nextInt(5)) {
        case 0, 1 -> assertEquals(expected.add(row), set.add(row));
        case 2 -> assertEquals(expected.remove(row), set.remove(row));
        case 3 -> assertEquals(expected.contains(row), set.contains(row));
        default -> {
          Long next = expected.ceiling(row);
          assertEquals(next == null ? RowSet.NONE : next, set.next(row));
        }
      }
      assertEquals(expected.size(), set.count());
      if (random.nextInt(3000) == 0) {
        set.clear();
        expected.clear();
      }
    }
  }

  @Test
  void numbersBeyondTheSetAreAbsent() {
    RowSet set = new RowSet(64);
    assertFalse(set.contains(64));
    assertFalse(set.remove(1L << 50));
    assertEquals(RowSet.NONE, set.next(1L << 50));
    assertThrows(OutOfMemoryError.class, () -> set.add(1L << 50));
    assertEquals(0, set.count());
  }
}
