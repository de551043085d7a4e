package dev.panoptim.rows;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Tier;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.Optimizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A table of rows reaches the bits of dense steps, on every backend and with any number of
/// threads.
class RowTableTest {
  private static final boolean EXHAUSTIVE = Boolean.getBoolean("panoptim.exhaustive");

  static List<RowCase> cases() {
    return RowCase.all();
  }

  static List<RowCase> casesLikeDense() {
    return RowCase.all().stream().filter(each -> each.dense() != null).toList();
  }

  private static List<Backend> backends() {
    List<Backend> all = new ArrayList<>(List.of(Backends.scalar(), Backends.vector()));
    for (Tier tier : Backends.tiers()) {
      all.add(Backends.nativeCode(tier));
    }
    return all;
  }

  private static int[] bits(MemorySegment floats) {
    return floats.toArray(ValueLayout.JAVA_INT);
  }

  private static int[] trained(
      RowCase tested, Backend backend, int threads, int rows, int width, int batch, int steps) {
    try (Arena arena = Arena.ofConfined();
        RowTable table =
            RowTable.builder(rows, width)
                .optimizer(tested.rows())
                .normal(0.5, 3)
                .backend(backend)
                .threads(threads)
                .build()) {
      RowBatches batches = new RowBatches(arena, 7, batch, rows, width, true);
      for (int step = 0; step < steps; step++) {
        batches.next();
        long distinct = Arrays.stream(batches.ids).distinct().count();
        assertEquals(distinct, table.step(batches.rowIds(), batches.gradients));
      }
      return bits(table.data());
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyBackendAndNumberOfThreadsReachesTheSameBits(RowCase tested) {
    for (int width : EXHAUSTIVE ? new int[] {1, 7, 15, 16, 17, 64, 1025} : new int[] {1, 17, 64}) {
      int[] expected = trained(tested, Backends.scalar(), 1, 40, width, 60, 12);
      for (Backend backend : backends()) {
        for (int threads : new int[] {1, 2}) {
          assertArrayEquals(
              expected,
              trained(tested, backend, threads, 40, width, 60, 12),
              () -> "%s on %s, width %s".formatted(tested, backend.describe(), width));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void threadsShareLargeBatches(RowCase tested) {
    int[] expected = trained(tested, Backends.nativeCode(), 1, 3000, 64, 4096, 4);
    for (int threads : new int[] {2, 3, 7}) {
      assertArrayEquals(
          expected, trained(tested, Backends.nativeCode(), threads, 3000, 64, 4096, 4));
    }
  }

  /// Adds the gradients of each row in the order of the batch, and makes a dense step.
  @ParameterizedTest
  @MethodSource("casesLikeDense")
  void theResultIsThatOfADenseOptimizer(RowCase tested) {
    int rows = 30;
    int width = 20;
    try (Arena arena = Arena.ofConfined();
        Parameters parameters = Parameters.builder().add("table", (long) rows, width).build();
        Optimizer dense = tested.dense().apply(parameters).build();
        RowTable table =
            RowTable.builder(rows, width).optimizer(tested.rows()).normal(0.5, 3).build()) {
      MemorySegment data = parameters.get("table").data();
      if (tested.name().equals("ftrl")) {
        // Its weights follow from the sums of gradients, from the first step on.
        table.data().fill((byte) 0);
      }
      data.copyFrom(table.data());
      RowBatches batches = new RowBatches(arena, 11, 9, rows, width, false).uniform();
      for (int step = 0; step < 100; step++) {
        batches.next();
        addUp(batches, parameters.get("table").gradient(), width);
        dense.step();
        table.step(batches.rowIds(), batches.gradients);
        assertArrayEquals(
            rowBits(data, batches.ids, width), rowBits(table.data(), batches.ids, width));
      }
      long[] often = {0, 1};
      table.catchUp(RowIds.of(often));
      assertArrayEquals(rowBits(data, often, width), rowBits(table.data(), often, width));
      assertEquals(100, table.steps());
    }
  }

  private static void addUp(RowBatches batches, MemorySegment gradient, int width) {
    gradient.fill((byte) 0);
    boolean[] seen = new boolean[(int) (gradient.byteSize() / Float.BYTES / width)];
    for (int i = 0; i < batches.ids.length; i++) {
      int row = (int) batches.ids[i];
      for (int column = 0; column < width; column++) {
        float one = batches.gradients.getAtIndex(ValueLayout.JAVA_FLOAT, (long) i * width + column);
        long at = (long) row * width + column;
        float before = gradient.getAtIndex(ValueLayout.JAVA_FLOAT, at);
        gradient.setAtIndex(ValueLayout.JAVA_FLOAT, at, seen[row] ? before + one : one);
      }
      seen[row] = true;
    }
  }

  private static int[] rowBits(MemorySegment data, long[] ids, int width) {
    int[] bits = new int[ids.length * width];
    for (int i = 0; i < ids.length; i++) {
      for (int column = 0; column < width; column++) {
        bits[i * width + column] = data.getAtIndex(ValueLayout.JAVA_INT, ids[i] * width + column);
      }
    }
    return bits;
  }

  /// A row that was away for longer than steps are replayed, also early in a training.
  @Test
  void stepsThatWereMissedLongAgoAreNearlyThoseOfADenseOptimizer() {
    for (boolean constant : new boolean[] {false, true}) {
      for (int present : new int[] {1, 10, 100, 1000, 3000}) {
        for (int away : new int[] {33, 40, 100, 333, 2000}) {
          double[] moved = moved(present, away, constant);
          double difference = Math.abs(moved[0] - moved[1]);
          assertTrue(
              difference < 0.1 + 0.1 * Math.abs(moved[0]),
              "%s instead of %s steps, after %s present and %s away, constant %s"
                  .formatted(moved[1], moved[0], present, away, constant));
        }
      }
    }
  }

  /// How far a weight moves while it has no gradient, in units of the learning rate: with a dense
  /// optimizer, and in a table.
  private static double[] moved(int present, int away, boolean constant) {
    double rate = 1e-3;
    try (Arena arena = Arena.ofConfined();
        Parameters parameters = Parameters.builder().add("table", 2).build();
        Optimizer dense = Adam.builder(parameters).learningRate(rate).build();
        RowTable table =
            RowTable.builder(2, 1)
                .optimizer(RowOptimizer.adam(rate).missedSteps(MissedSteps.APPLIED))
                .build()) {
      MemorySegment gradients = arena.allocate(8, 4);
      SplittableRandom random = new SplittableRandom(4);
      float before = 0;
      for (int step = 0; step < present + away; step++) {
        float gradient = constant ? 1 : (float) random.nextGaussian();
        gradients.setAtIndex(ValueLayout.JAVA_FLOAT, 0, step < present ? gradient : 0);
        gradients.setAtIndex(ValueLayout.JAVA_FLOAT, 1, 1);
        parameters.get("table").gradient().copyFrom(gradients);
        dense.step();
        if (step < present) {
          table.step(RowIds.of(0, 1), gradients);
          before = table.data().getAtIndex(ValueLayout.JAVA_FLOAT, 0);
        } else {
          table.step(RowIds.of(1), gradients.asSlice(4));
        }
      }
      table.catchUp(RowIds.of(0));
      float expected = parameters.get("table").data().getAtIndex(ValueLayout.JAVA_FLOAT, 0);
      float actual = table.data().getAtIndex(ValueLayout.JAVA_FLOAT, 0);
      return new double[] {(expected - before) / rate, (actual - before) / rate};
    }
  }

  @Test
  void missedStepsWithoutMomentumMoveNothing() {
    for (double beta2 : new double[] {0, 0.9}) {
      for (Backend backend : backends()) {
        try (Arena arena = Arena.ofConfined();
            RowTable table =
                RowTable.builder(2, 1)
                    .optimizer(
                        RowOptimizer.adam(0.1).betas(0, beta2).missedSteps(MissedSteps.APPLIED))
                    .backend(backend)
                    .build()) {
          MemorySegment one = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1);
          table.step(RowIds.of(0), one);
          int before = table.data().get(ValueLayout.JAVA_INT, 0);
          for (int step = 0; step < 100; step++) {
            table.step(RowIds.of(1), one);
          }
          table.catchUp(RowIds.of(0));
          assertEquals(before, table.data().get(ValueLayout.JAVA_INT, 0), "beta2 " + beta2);
        }
      }
    }
  }

  @Test
  void othersThanTheRowsOfTheBatchKeepTheirBits() {
    for (Backend backend : backends()) {
      try (Arena arena = Arena.ofConfined();
          RowTable table =
              RowTable.builder(50, 5)
                  .optimizer(RowOptimizer.adam(0.1))
                  .uniform(1, 1)
                  .backend(backend)
                  .build()) {
        int[] before = bits(table.data());
        MemorySegment gradients = arena.allocate(60, 4);
        gradients.setAtIndex(ValueLayout.JAVA_FLOAT, 0, 1);
        table.step(RowIds.of(7, 31, 7), gradients);
        int[] after = bits(table.data());
        for (int i = 0; i < before.length; i++) {
          boolean stepped = i == 35;
          assertEquals(stepped, before[i] != after[i], "element " + i + " on " + backend);
        }
      }
    }
  }

  @Test
  void idsOfEveryKindAreRead() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ints = arena.allocateFrom(ValueLayout.JAVA_INT, 3, 0, 3);
      MemorySegment longs = arena.allocateFrom(ValueLayout.JAVA_LONG, 3, 0, 3);
      MemorySegment gradients = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2, 4);
      for (RowIds ids :
          List.of(
              RowIds.of(3, 0, 3),
              RowIds.of(3L, 0L, 3L),
              RowIds.ofInts(ints),
              RowIds.ofLongs(longs))) {
        try (RowTable table = RowTable.builder(4, 1).optimizer(RowOptimizer.sgd(1)).build()) {
          assertEquals(2, table.step(ids, gradients));
          assertArrayEquals(
              new float[] {-2, 0, 0, -5}, table.data().toArray(ValueLayout.JAVA_FLOAT));
          float[] gathered = new float[3];
          table.gather(ids, MemorySegment.ofArray(gathered));
          assertArrayEquals(new float[] {-5, -2, -5}, gathered);
        }
      }
    }
  }

  @Test
  void badInputIsRefusedAndChangesNothing() {
    try (Arena arena = Arena.ofConfined();
        RowTable table =
            RowTable.builder(4, 2)
                .optimizer(RowOptimizer.adamW(1).missedSteps(MissedSteps.APPLIED))
                .uniform(1, 9)
                .build()) {
      int[] before = bits(table.data());
      MemorySegment gradients = arena.allocate(16, 4).fill((byte) 1);
      RowIds fine = RowIds.of(0, 1);
      assertRefused(
          IndexOutOfBoundsException.class,
          "the id at index 1 is 4, but must be from 0 to 3",
          () -> table.step(RowIds.of(0, 4), gradients));
      assertRefused(
          IndexOutOfBoundsException.class,
          "the id at index 0 is -1",
          () -> table.step(RowIds.of(-1, 4), gradients));
      assertRefused(
          IndexOutOfBoundsException.class,
          "the id at index 0 is " + Long.MIN_VALUE,
          () -> table.gather(RowIds.of(Long.MIN_VALUE), arena.allocate(8)));
      assertRefused(IndexOutOfBoundsException.class, "is 4", () -> table.catchUp(RowIds.of(1, 4)));
      assertRefused(
          IllegalArgumentException.class,
          "gradients has 12 bytes, but must have 16",
          () -> table.step(fine, gradients.asSlice(4)));
      assertRefused(
          IllegalArgumentException.class,
          "gradients is on the Java heap",
          () -> table.step(fine, MemorySegment.ofArray(new float[4])));
      assertRefused(
          IllegalArgumentException.class,
          "aligned to 4 bytes",
          () -> table.step(fine, arena.allocate(20, 4).asSlice(1, 16)));
      assertRefused(
          IllegalArgumentException.class,
          "share 16 bytes",
          () -> table.step(fine, table.data().asSlice(8, 16)));
      assertRefused(NullPointerException.class, "gradients is null", () -> table.step(fine, null));
      assertRefused(
          IllegalArgumentException.class,
          "target is read-only",
          () -> table.gather(fine, arena.allocate(16).asReadOnly()));
      assertRefused(
          IllegalArgumentException.class,
          "share 8 bytes",
          () -> table.gather(RowIds.of(0), table.data().asSlice(24, 8)));
      Arena closed = Arena.ofConfined();
      MemorySegment dead = closed.allocate(16, 4);
      closed.close();
      assertRefused(IllegalStateException.class, "has been closed", () -> table.step(fine, dead));
      assertArrayEquals(before, bits(table.data()));
      assertEquals(0, table.steps());
      assertEquals(0, table.step(RowIds.of(new long[0]), arena.allocate(0)));
      assertEquals(1, table.steps());
      assertArrayEquals(before, bits(table.data()));
    }
  }

  /// Native code would write beyond the table if an id changed after it had been checked.
  @Test
  void idsThatAnotherThreadChangesReachNoOtherMemory() throws Exception {
    long[] ids = new long[500];
    boolean[] done = new boolean[1];
    Thread other =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!done[0]) {
                    ids[499] = 1L << 36;
                    ids[499] = 1;
                    Thread.onSpinWait();
                  }
                });
    try (Arena arena = Arena.ofConfined();
        RowTable table =
            RowTable.builder(4, 4)
                .optimizer(RowOptimizer.adam(1).missedSteps(MissedSteps.APPLIED))
                .build()) {
      MemorySegment gradients = arena.allocate(500 * 16L, 4);
      long end = System.nanoTime() + 300_000_000;
      while (System.nanoTime() < end) {
        try {
          table.step(RowIds.of(ids), gradients);
          table.catchUp(RowIds.of(ids));
        } catch (IndexOutOfBoundsException refused) {
          assertTrue(refused.getMessage().contains("index 499 is " + (1L << 36)), "" + refused);
        }
      }
    } finally {
      done[0] = true;
      other.join();
    }
  }

  @Test
  void aSmallBatchFollowsALargeOne() {
    try (Arena arena = Arena.ofConfined();
        RowTable table = RowTable.builder(1000, 1).optimizer(RowOptimizer.sgd(1)).build()) {
      MemorySegment ones = arena.allocate(4000, 4);
      int[] ids = new int[1000];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = i;
        ones.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1);
      }
      float[] expected = new float[1000];
      for (int count : new int[] {1000, 1, 0, 7, 1000, 2}) {
        assertEquals(
            count, table.step(RowIds.of(Arrays.copyOf(ids, count)), ones.asSlice(0, count * 4L)));
        for (int i = 0; i < count; i++) {
          expected[i]--;
        }
        assertArrayEquals(expected, table.data().toArray(ValueLayout.JAVA_FLOAT));
      }
    }
  }

  private static void assertRefused(
      Class<? extends Exception> kind,
      String words,
      org.junit.jupiter.api.function.Executable action) {
    String message = assertThrows(kind, action).getMessage();
    assertTrue(message.contains(words), message);
  }

  @Test
  void optionsThatDoNotFitAreRefused() {
    assertRefused(
        IllegalArgumentException.class, "sgd has no epsilon", () -> RowOptimizer.sgd(1).epsilon(1));
    assertRefused(
        IllegalArgumentException.class,
        "adagrad has no missedSteps APPLIED",
        () -> RowOptimizer.adagrad(1).missedSteps(MissedSteps.APPLIED));
    assertRefused(
        IllegalArgumentException.class, "learningRate is -1.0", () -> RowOptimizer.adam(-1));
    assertRefused(
        IllegalArgumentException.class, "learningRate is 0.0", () -> RowOptimizer.ftrl(0));
    assertRefused(
        IllegalStateException.class, "optimizer is missing", () -> RowTable.builder(1, 1).build());
    assertRefused(
        IllegalArgumentException.class,
        "rows is 0 and width 1",
        () -> RowTable.builder(0, 1).optimizer(RowOptimizer.sgd(1)).build());
    assertRefused(
        IllegalArgumentException.class,
        "more than 2^63-1 elements",
        () -> RowTable.builder(Long.MAX_VALUE, 2).optimizer(RowOptimizer.sgd(1)).build());
    assertRefused(
        IllegalArgumentException.class,
        "bound is NaN",
        () -> RowTable.builder(1, 1).uniform(Double.NaN, 1));
    assertRefused(
        IllegalArgumentException.class,
        "ids have 6 bytes",
        () -> RowIds.ofInts(MemorySegment.ofArray(new byte[6])));
    assertRefused(
        IllegalArgumentException.class,
        "ids have 2147483652 bytes",
        () -> RowIds.ofInts(MemorySegment.ofAddress(4096).reinterpret(4L * ((1 << 29) + 1))));
    assertRefused(
        IllegalArgumentException.class,
        "ids has 8 bytes at address 0x0",
        () -> RowIds.ofLongs(MemorySegment.NULL.reinterpret(8)));
    for (double[] betas : new double[][] {{0.9, 0.8}, {0.5, 0.25}, {0.1, 0}}) {
      assertRefused(
          IllegalArgumentException.class,
          "beta1 is " + betas[0],
          () ->
              RowTable.builder(1, 1)
                  .optimizer(
                      RowOptimizer.adam(1)
                          .missedSteps(MissedSteps.APPLIED)
                          .betas(betas[0], betas[1]))
                  .build());
    }
  }

  @Test
  void aSecondThreadIsRefusedWhileOneSteps() throws Exception {
    try (Arena arena = Arena.ofShared();
        RowTable table = RowTable.builder(5000, 64).optimizer(RowOptimizer.adagrad(1)).build()) {
      RowBatches batches = new RowBatches(arena, 1, 5000, 5000, 64, false).next();
      Thread other =
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (!Thread.currentThread().isInterrupted()) {
                      try {
                        table.step(batches.rowIds(), batches.gradients);
                      } catch (IllegalStateException refused) {
                        // The thread of the test came first.
                      }
                    }
                  });
      IllegalStateException found = null;
      for (int i = 0; i < 1_000_000 && found == null; i++) {
        try {
          table.learningRate(0.5);
          table.gather(RowIds.of(1), arena.allocate(256));
        } catch (IllegalStateException e) {
          found = e;
        }
      }
      other.interrupt();
      other.join();
      assertTrue(found != null && found.getMessage().contains("one thread at a time"), () -> "");
    }
  }

  @Test
  void aClosedTableSaysSo() {
    RowTable table = RowTable.builder(3, 1).optimizer(RowOptimizer.sgd(1)).build();
    table.close();
    table.close();
    try (Arena arena = Arena.ofConfined()) {
      assertThrows(
          IllegalStateException.class, () -> table.step(RowIds.of(1), arena.allocate(4, 4)));
      assertThrows(
          IllegalStateException.class, () -> table.gather(RowIds.of(1), arena.allocate(4, 4)));
    }
  }
}
