package dev.panoptim.rows;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Tier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A table by ids learns like a table of numbered rows; ids come, go and come back.
class IdTableTest {
  private static final int WIDTH = 18;

  static List<RowCase> cases() {
    return RowCase.all();
  }

  private static List<Backend> backends() {
    List<Backend> all = new ArrayList<>(List.of(Backends.scalar(), Backends.vector()));
    for (Tier tier : Backends.tiers()) {
      all.add(Backends.nativeCode(tier));
    }
    return all;
  }

  /// An id for each row; the ids of two rows have nothing in common.
  private static long id(long row) {
    return row * 0x9e3779b97f4a7c15L ^ 0x5555;
  }

  private static int[] row(IdTable table, long id) {
    float[] values = new float[table.width()];
    table.read(id, MemorySegment.ofArray(values));
    return MemorySegment.ofArray(values).toArray(ValueLayout.JAVA_INT);
  }

  /// Both tables start from 0.
  @ParameterizedTest
  @MethodSource("cases")
  void itLearnsLikeATableOfNumberedRows(RowCase tested) {
    for (Backend backend : backends()) {
      try (Arena arena = Arena.ofConfined();
          IdTable table =
              IdTable.builder(WIDTH).optimizer(tested.rows()).backend(backend).threads(2).build();
          RowTable expected =
              RowTable.builder(200, WIDTH)
                  .optimizer(tested.rows().missedSteps(MissedSteps.SKIPPED))
                  .backend(backend)
                  .build()) {
        RowBatches batches = new RowBatches(arena, 21, 300, 200, WIDTH, true);
        boolean missed = tested.rows().appliesMissedSteps();
        for (int step = 0; step < 15; step++) {
          batches.next();
          long[] ids = new long[batches.ids.length];
          for (int i = 0; i < ids.length; i++) {
            ids[i] = id(batches.ids[i]);
          }
          int distinct = table.step(RowIds.of(ids), batches.gradients);
          assertEquals(distinct, expected.step(batches.rowIds(), batches.gradients));
          if (missed && step == 0) {
            break; // Rows by ids miss no steps before they exist.
          }
        }
        for (long row = 0; row < 200; row++) {
          int[] found = row(table, id(row));
          int[] wanted =
              expected.data().asSlice(row * WIDTH * 4L, WIDTH * 4L).toArray(ValueLayout.JAVA_INT);
          assertArrayEquals(wanted, found, "row " + row + " on " + backend);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void backendsAndThreadsReachTheSameBits(RowCase tested) {
    List<int[]> all = new ArrayList<>();
    for (Backend backend : backends()) {
      for (int threads = 1; threads <= 2; threads++) {
        all.add(trained(tested, backend, threads));
        assertArrayEquals(all.getFirst(), all.getLast(), tested + " on " + backend.describe());
      }
    }
  }

  private static int[] trained(RowCase tested, Backend backend, int threads) {
    try (Arena arena = Arena.ofConfined();
        IdTable table =
            IdTable.builder(WIDTH)
                .optimizer(tested.rows())
                .backend(backend)
                .threads(threads)
                .normal(0.1, 4)
                .admitAfter(2, 1000)
                .evictAfter(5)
                .build()) {
      RowBatches batches = new RowBatches(arena, 22, 100, 300, WIDTH, false);
      for (int step = 0; step < 60; step++) {
        table.step(batches.next().rowIds(), batches.gradients);
      }
      int[] bits = new int[300 * WIDTH];
      for (int row = 0; row < 300; row++) {
        System.arraycopy(row(table, row), 0, bits, row * WIDTH, WIDTH);
      }
      return bits;
    }
  }

  @Test
  void anUnknownIdHasItsFirstValuesAndGetsThemWhenItIsSeen() {
    try (Arena arena = Arena.ofConfined();
        IdTable table = IdTable.builder(4).optimizer(RowOptimizer.sgd(1)).uniform(0.5, 77).build();
        IdTable other =
            IdTable.builder(4).optimizer(RowOptimizer.sgd(1)).uniform(0.5, 77).build()) {
      for (long id : new long[] {0, -1, 1, Long.MIN_VALUE, Long.MAX_VALUE, 12345678901L}) {
        float[] before = new float[4];
        assertFalse(table.read(id, MemorySegment.ofArray(before)));
        for (float each : before) {
          assertTrue(Math.abs(each) <= 0.5f && each != 0, "a value of " + each);
        }
        table.step(RowIds.of(id), arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 0, 0, -2));
        float[] after = new float[4];
        assertTrue(table.read(id, MemorySegment.ofArray(after)));
        assertArrayEquals(new float[] {before[0] - 1, before[1], before[2], before[3] + 2}, after);
        assertArrayEquals(
            MemorySegment.ofArray(before).toArray(ValueLayout.JAVA_INT), row(other, id));
      }
      assertEquals(6, table.size());
      assertEquals(0, other.size());
    }
  }

  @Test
  void anIdIsAdmittedWhenItHasBeenInEnoughSteps() {
    try (Arena arena = Arena.ofConfined();
        IdTable table =
            IdTable.builder(1).optimizer(RowOptimizer.sgd(1)).admitAfter(3, 1000).build()) {
      MemorySegment ones = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 1, 1);
      // Twice in one batch counts once.
      assertEquals(0, table.step(RowIds.of(5, 5, 6), ones));
      assertEquals(0, table.step(RowIds.of(5, 7, 7), ones));
      assertEquals(0, table.size());
      assertEquals(1, table.step(RowIds.of(5, 5, 7), ones));
      assertArrayEquals(new int[] {Float.floatToIntBits(-2)}, row(table, 5));
      assertEquals(1, table.size());
      assertEquals(2, table.step(RowIds.of(6, 7, 5), ones));
      assertArrayEquals(new int[] {Float.floatToIntBits(-3)}, row(table, 5));
      assertArrayEquals(new int[] {Float.floatToIntBits(-1)}, row(table, 7));
      assertArrayEquals(new int[] {0}, row(table, 6));
    }
  }

  @Test
  void anIdThatIsAwayForTooLongIsForgotten() {
    try (Arena arena = Arena.ofConfined();
        IdTable table =
            IdTable.builder(1).optimizer(RowOptimizer.adagrad(1)).evictAfter(3).build()) {
      MemorySegment one = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1);
      table.step(RowIds.of(1), one);
      int[] first = row(table, 1);
      for (int i = 0; i < 3; i++) {
        table.step(RowIds.of(2), one);
        assertArrayEquals(first, row(table, 1));
      }
      table.step(RowIds.of(2), one);
      assertFalse(table.read(1, arena.allocate(4)));
      assertArrayEquals(new int[] {0}, row(table, 1));
      for (int i = 0; i < 4; i++) {
        table.step(RowIds.of(2), one);
      }
      assertEquals(1, table.size());
      table.step(RowIds.of(1), one);
      assertArrayEquals(first, row(table, 1), "as if never seen");
    }
  }

  @Test
  void memoryOfForgottenIdsIsUsedAgain() {
    try (Arena arena = Arena.ofConfined();
        IdTable table = IdTable.builder(8).optimizer(RowOptimizer.adam(1)).evictAfter(10).build()) {
      MemorySegment gradients = arena.allocate(100 * 8 * 4L, 4);
      long most = 0;
      for (int step = 0; step < 2000; step++) {
        long[] ids = new long[100];
        for (int i = 0; i < ids.length; i++) {
          ids[i] = step * 100L + i;
        }
        table.step(RowIds.of(ids), gradients);
        most = Math.max(most, table.size());
      }
      assertTrue(most <= 2300, "ids at once: " + most);
      assertTrue(table.memory() < 8 << 20, "bytes: " + table.memory());
    }
  }

  /// All elements of a row are equal after each step.
  @Test
  void readersGetWholeRowsWhileIdsComeAndGo() throws Exception {
    long nanos = Boolean.getBoolean("panoptim.exhaustive") ? 10_000_000_000L : 1_000_000_000L;
    int width = 200;
    try (Arena arena = Arena.ofConfined();
        IdTable table =
            IdTable.builder(width)
                .optimizer(RowOptimizer.adagrad(0.3))
                .threads(2)
                .evictAfter(20)
                .build()) {
      long[] counts = new long[3];
      List<String> torn = java.util.Collections.synchronizedList(new ArrayList<>());
      boolean[] done = new boolean[1];
      List<Thread> readers = new ArrayList<>();
      for (int reader = 0; reader < 2; reader++) {
        int number = reader;
        readers.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      SplittableRandom random = new SplittableRandom(number);
                      float[] row = new float[width];
                      MemorySegment target = MemorySegment.ofArray(row);
                      while (!done[0] && torn.isEmpty()) {
                        boolean found = table.read(random.nextInt(400), target);
                        for (float each : row) {
                          if (each != row[0]) {
                            torn.add(row[0] + " beside " + each);
                          }
                        }
                        counts[number] += found && row[0] != 0 ? 1 : 0;
                        Thread.onSpinWait();
                      }
                    }));
      }
      MemorySegment gradients = arena.allocate(64L * width * 4, 4);
      SplittableRandom random = new SplittableRandom(9);
      long begin = System.nanoTime();
      while (System.nanoTime() - begin < nanos) {
        long base = counts[2]++ / 50 % 300;
        long[] ids = new long[64];
        for (int i = 0; i < ids.length; i++) {
          ids[i] = base + random.nextInt(100);
          float value = (float) random.nextDouble(-1, 1);
          gradients.asSlice(i * width * 4L, width * 4L).fill((byte) 0);
          for (int column = 0; column < width; column++) {
            gradients.setAtIndex(ValueLayout.JAVA_FLOAT, (long) i * width + column, value);
          }
        }
        table.step(RowIds.of(ids), gradients);
      }
      done[0] = true;
      for (Thread each : readers) {
        each.join();
      }
      assertEquals(List.of(), torn);
      assertTrue(counts[0] > 1000 && counts[1] > 1000, counts[0] + " and " + counts[1] + " reads");
    }
  }

  /// Each row is as before or after the step, and readers do not wait for a step that failed.
  @Test
  void gradientsThatAreClosedDuringAStepLeaveWholeRows() throws Exception {
    int count = 4000;
    long[] ids = new long[count];
    for (int i = 0; i < count; i++) {
      ids[i] = i;
    }
    for (Backend backend : List.of(Backends.scalar(), Backends.vector(), Backends.nativeCode())) {
      try (IdTable table =
          IdTable.builder(64).optimizer(RowOptimizer.sgd(1)).backend(backend).build()) {
        SplittableRandom random = new SplittableRandom(3);
        float[] before = new float[count];
        for (int round = 0; round < 20; round++) {
          Arena arena = Arena.ofShared();
          MemorySegment gradients = arena.allocate(count * 256L, 4).fill((byte) 0x3f);
          long nanos = random.nextInt(2_000_000);
          Thread other =
              Thread.ofPlatform()
                  .start(
                      () -> {
                        long begin = System.nanoTime();
                        while (arena.scope().isAlive()) {
                          try {
                            if (System.nanoTime() - begin > nanos) {
                              arena.close();
                            }
                          } catch (IllegalStateException held) {
                            // By native code.
                          }
                        }
                      });
          try {
            table.step(RowIds.of(ids), gradients);
          } catch (IllegalStateException closed) {
            // Then Java has also interrupted this thread.
          }
          Thread.interrupted();
          other.join();
          checkWhole(table, before);
        }
      }
    }
  }

  private static void checkWhole(IdTable table, float[] before) {
    float[] row = new float[table.width()];
    float gradient = Float.intBitsToFloat(0x3f3f3f3f);
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          for (int id = 0; id < before.length; id++) {
            table.read(id, MemorySegment.ofArray(row));
            for (float each : row) {
              assertEquals(row[0], each);
            }
            assertTrue(row[0] == before[id] || row[0] == before[id] - gradient, "id " + id);
            before[id] = row[0];
          }
        });
  }

  @Test
  void anIdThatIsCaughtUpIsNotForgotten() {
    try (Arena arena = Arena.ofConfined();
        IdTable table =
            IdTable.builder(1)
                .optimizer(RowOptimizer.adam(1).missedSteps(MissedSteps.APPLIED))
                .evictAfter(3)
                .build()) {
      MemorySegment two = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 1);
      table.step(RowIds.of(1, 2), two);
      for (int step = 0; step < 9; step++) {
        table.step(RowIds.of(3), two.asSlice(4));
        table.catchUp(RowIds.of(1));
      }
      assertTrue(table.read(1, arena.allocate(4)));
      assertFalse(table.read(2, arena.allocate(4)));
    }
  }

  @Test
  void rowsThatAreCaughtUpAreThoseOfADenseOptimizer() {
    RowOptimizer optimizer =
        RowOptimizer.adamW(0.01).weightDecay(0.1).missedSteps(MissedSteps.APPLIED);
    try (Arena arena = Arena.ofConfined();
        IdTable table = IdTable.builder(3).optimizer(optimizer).normal(1, 2).build();
        RowTable dense = RowTable.builder(2, 3).optimizer(optimizer).build()) {
      MemorySegment gradients = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2, 3, -1, -2, -3);
      for (int i = 0; i < 2; i++) {
        table.read(i, dense.data().asSlice(i * 12L, 12));
      }
      table.step(RowIds.of(0, 1), gradients);
      dense.step(RowIds.of(0, 1), gradients);
      for (int step = 0; step < 20; step++) {
        table.step(RowIds.of(1), gradients.asSlice(0, 12));
        dense.step(RowIds.of(1), gradients.asSlice(0, 12));
      }
      int[] stale = row(table, 0);
      table.catchUp(RowIds.of(0, 17));
      dense.catchUp(RowIds.of(0));
      assertFalse(java.util.Arrays.equals(stale, row(table, 0)));
      assertArrayEquals(dense.data().asSlice(0, 12).toArray(ValueLayout.JAVA_INT), row(table, 0));
      assertEquals(2, table.size());
    }
  }

  @Test
  void badInputIsRefusedAndChangesNothing() {
    try (Arena arena = Arena.ofConfined();
        IdTable table = IdTable.builder(2).optimizer(RowOptimizer.sgd(1)).build()) {
      MemorySegment gradients = arena.allocate(16, 4);
      for (org.junit.jupiter.api.function.Executable each :
          List.<org.junit.jupiter.api.function.Executable>of(
              () -> table.step(RowIds.of(1), gradients),
              () -> table.step(RowIds.of(1, 2), MemorySegment.ofArray(new float[4])),
              () -> table.read(1, gradients),
              () -> table.gather(RowIds.of(1), gradients.asSlice(0, 8).asReadOnly()))) {
        assertThrows(IllegalArgumentException.class, each);
      }
      assertEquals(0, table.size());
      assertEquals(0, table.steps());
      for (int width : new int[] {0, -1, 1 << 25}) {
        assertThrows(
            IllegalArgumentException.class,
            () -> IdTable.builder(width).optimizer(RowOptimizer.sgd(1)).build());
      }
      assertThrows(IllegalArgumentException.class, () -> IdTable.builder(1).admitAfter(0, 1));
      assertThrows(IllegalArgumentException.class, () -> IdTable.builder(1).admitAfter(2, 0));
      assertThrows(IllegalArgumentException.class, () -> IdTable.builder(1).evictAfter(0));
      assertThrows(IllegalStateException.class, () -> IdTable.builder(1).build());
    }
  }

  @Test
  void aClosedTableRefusesReaders() {
    IdTable table = IdTable.builder(1).optimizer(RowOptimizer.sgd(1)).build();
    try (Arena arena = Arena.ofConfined()) {
      table.step(RowIds.of(4), arena.allocate(4, 4));
      table.close();
      table.close();
      assertThrows(IllegalStateException.class, () -> table.read(4, arena.allocate(4)));
      assertThrows(IllegalStateException.class, () -> table.read(5, arena.allocate(4)));
      assertThrows(
          IllegalStateException.class, () -> table.step(RowIds.of(4), arena.allocate(4, 4)));
    }
  }
}
