package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.checkpoint.TableCheckpoint.Saved;
import dev.panoptim.checkpoint.TableTrainee.Kind;
import dev.panoptim.rows.IdTable;
import dev.panoptim.rows.MissedSteps;
import dev.panoptim.rows.RowIds;
import dev.panoptim.rows.RowOptimizer;
import dev.panoptim.rows.RowTable;
import dev.panoptim.safetensors.SafetensorsFile;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Tables are saved, in whole or by their changes, and continue with the same bits.
class TableCheckpointTest {
  private static final RowOptimizer ADAGRAD = RowOptimizer.adagrad(0.05);
  private static final int MOST_CHANGES = 3;

  @TempDir Path folder;

  private static TableTrainee trainee(Kind kind) {
    return new TableTrainee(kind, ADAGRAD, Backends.auto());
  }

  private static List<String> names(Path folder) throws Exception {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(each -> each.getFileName().toString())
          .filter(each -> each.endsWith("safetensors"))
          .sorted()
          .toList();
    }
  }

  static List<Arguments> cases() {
    List<Arguments> all = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      TableTrainee.OPTIMIZERS.forEach((name, optimizer) -> all.add(Arguments.of(kind, name)));
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void interruptedAgainAndAgainATableEndsWithTheSameBits(Kind kind, String name) throws Exception {
    RowOptimizer optimizer = TableTrainee.OPTIMIZERS.get(name);
    SplittableRandom random = new SplittableRandom(kind.hashCode() + name.hashCode());
    long last = 90;
    long saved = 0;
    int full = 0;
    int changes = 0;
    while (saved < last) {
      Backend backend = random.nextBoolean() ? Backends.auto() : Backends.scalar();
      try (TableTrainee trainee = new TableTrainee(kind, optimizer, backend);
          TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
        assertEquals(saved > 0, checkpoint.load());
        assertEquals(saved, trainee.steps());
        for (int saves = random.nextInt(1, 4); saves > 0 && saved < last; saves--) {
          saved = Math.min(last, saved + random.nextInt(1, 9));
          trainee.trainTo(saved);
          Saved file = random.nextInt(8) == 0 ? checkpoint.saveAll() : checkpoint.save();
          full += file.full() ? 1 : 0;
          changes += file.full() ? 0 : 1;
          assertEquals(Files.size(file.file()), file.bytes());
        }
        // Lost.
        trainee.trainTo(saved + random.nextInt(4));
      }
    }
    assertTrue(full > 1, "files with all rows: " + full);
    assertTrue(changes > 1, "files with changes: " + changes);
    try (TableTrainee expected = new TableTrainee(kind, optimizer, Backends.auto());
        TableTrainee found = new TableTrainee(kind, optimizer, Backends.auto());
        TableCheckpoint checkpoint = found.open(folder, MOST_CHANGES)) {
      expected.trainTo(last);
      checkpoint.load();
      TableTrainee.assertSame(expected.bits(), found.bits());
      expected.trainTo(last + 40);
      found.trainTo(last + 40);
      TableTrainee.assertSame(expected.bits(), found.bits());
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void filesWithChangesHaveTheChangedRowsAlone(Kind kind) throws Exception {
    try (TableTrainee trainee = trainee(kind);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
      trainee.trainTo(30);
      Saved first = checkpoint.save();
      assertTrue(first.full());
      assertEquals(folder.resolve("full-000000000001.safetensors"), first.file());
      Saved nothing = checkpoint.save();
      assertEquals(0, nothing.rows());
      trainee.trainTo(31);
      Saved second = checkpoint.save();
      assertFalse(second.full());
      assertTrue(second.rows() > 5 && second.rows() <= 34, second.toString());
      checkpoint.save();
      assertEquals(
          List.of(
              "full-000000000001.safetensors",
              "rows-000000000002.safetensors",
              "rows-000000000003.safetensors",
              "rows-000000000004.safetensors"),
          names(folder));
      assertTrue(checkpoint.save().full());
      assertEquals(List.of("full-000000000005.safetensors"), names(folder));
    }
  }

  @Test
  void aFileWithAllRowsFollowsIfChangesAreLarger() throws Exception {
    try (TableTrainee trainee = trainee(Kind.ROWS);
        TableCheckpoint checkpoint = trainee.open(folder, 1000)) {
      checkpoint.save();
      int saves = 0;
      do {
        trainee.trainTo(trainee.steps() + 10);
        saves++;
      } while (!checkpoint.save().full());
      assertTrue(saves > 2 && saves < 20, "saves: " + saves);
      assertEquals(1, names(folder).size());
    }
  }

  @Test
  void removedIdsComeBackOrStayAway() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment one = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1);
      IdTable.Builder builder = IdTable.builder(1).optimizer(ADAGRAD).evictAfter(2);
      try (IdTable table = builder.build();
          TableCheckpoint checkpoint = TableCheckpoint.open(folder, table)) {
        table.step(RowIds.of(1), one);
        table.step(RowIds.of(2), one);
        checkpoint.save();
        for (int i = 0; i < 6; i++) {
          table.step(RowIds.of(3), one);
        }
        table.step(RowIds.of(4), one);
        table.step(RowIds.of(1), one);
        for (int i = 0; i < 3; i++) {
          table.step(RowIds.of(5), one);
        }
        table.step(RowIds.of(1), one);
        Saved changes = checkpoint.save();
        assertFalse(changes.full());
        MemorySegment removed = SafetensorsFile.map(changes.file(), arena).tensor("removed").data();
        assertEquals(2, removed.byteSize() / Long.BYTES);
      }
      try (IdTable table = builder.build();
          TableCheckpoint checkpoint = TableCheckpoint.open(folder, table)) {
        assertTrue(checkpoint.load());
        MemorySegment row = arena.allocate(4);
        assertTrue(table.read(1, row));
        assertEquals(-0.05f, row.get(ValueLayout.JAVA_FLOAT, 0));
        assertFalse(table.read(2, row));
        assertFalse(table.read(3, row));
        assertFalse(table.read(4, row));
        assertTrue(table.read(5, row));
        assertEquals(14, table.steps());
      }
    }
  }

  @Test
  void anotherTableIsRefused() throws Exception {
    try (TableTrainee trainee = trainee(Kind.CHANGING_IDS);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
      trainee.trainTo(5);
      checkpoint.save();
    }
    IdTable.Builder right =
        IdTable.builder(TableTrainee.WIDTH)
            .optimizer(ADAGRAD)
            .normal(0.1, 3)
            .admitAfter(2, 400)
            .evictAfter(12);
    assertRefused(
        IdTable.builder(6).optimizer(ADAGRAD).build(),
        "admitAfter is 2 in the file, but 1 in the table",
        "evictAfter is 12 in the file, but never in the table",
        "expectedIds is 400 in the file, but any in the table",
        "firstValues is normal 0.1, seed 3 in the file, but 0 in the table",
        "width is 5 in the file, but 6 in the table");
    assertRefused(
        right.optimizer(RowOptimizer.adagrad(1).epsilon(1e-3)).build(), "optimizer is adagrad");
    assertRefused(
        RowTable.builder(300, 5).optimizer(ADAGRAD).build(),
        "kind is IdTable in the file, but RowTable in the table",
        "rows is null in the file, but 300 in the table");
    try (IdTable table = right.optimizer(RowOptimizer.adagrad(1)).build();
        TableCheckpoint checkpoint = TableCheckpoint.open(folder, table)) {
      assertTrue(checkpoint.load());
      assertEquals(5, table.steps());
      assertNotEquals(1, table.learningRate());
      var e = assertThrows(IllegalStateException.class, checkpoint::load);
      assertTrue(e.getMessage().startsWith("the table has made 5 steps"), e.getMessage());
    }
  }

  private void assertRefused(AutoCloseable table, String... messages) throws Exception {
    try (table;
        TableCheckpoint checkpoint = TableCheckpoint.open(folder, table, MOST_CHANGES)) {
      var e = assertThrows(IllegalArgumentException.class, checkpoint::load);
      for (String each : messages) {
        assertTrue(e.getMessage().contains(each), e.getMessage());
      }
      var another = assertThrows(IllegalStateException.class, checkpoint::save);
      assertTrue(another.getMessage().contains("another table"), another.getMessage());
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void aSecondWriterIsRefused(Kind kind) throws Exception {
    try (TableTrainee one = trainee(kind);
        TableTrainee two = trainee(kind);
        TableCheckpoint first = one.open(folder, MOST_CHANGES);
        TableCheckpoint second = two.open(folder, MOST_CHANGES)) {
      one.trainTo(3);
      first.save();
      var e = assertThrows(IllegalStateException.class, second::save);
      assertTrue(
          e.getMessage().endsWith("has 3 steps, but the table 0: load it, or use another folder"),
          e.getMessage());
      second.load();
      one.trainTo(4);
      first.save();
      two.trainTo(5);
      e = assertThrows(IllegalStateException.class, second::save);
      assertTrue(e.getMessage().contains("was written by somebody else"), e.getMessage());
      first.save();
      assertThrows(IllegalStateException.class, second::saveAll);
      assertThrows(IllegalStateException.class, () -> one.open(folder, 1));
    }
  }

  @Test
  void aTableThatWasNotLoadedGoesOnWithAllRows() throws Exception {
    try (TableTrainee trainee = trainee(Kind.IDS)) {
      for (int i = 1; i <= 3; i++) {
        try (TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
          trainee.trainTo(i);
          assertTrue(checkpoint.save().full());
          trainee.trainTo(i + 1);
          assertFalse(checkpoint.save().full());
        }
        assertEquals(2, names(folder).size());
      }
      try (TableTrainee loaded = trainee(Kind.IDS);
          TableCheckpoint checkpoint = loaded.open(folder, MOST_CHANGES)) {
        assertTrue(checkpoint.load());
        TableTrainee.assertSame(trainee.bits(), loaded.bits());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void aSaveThatFailsLosesNothing(Kind kind) throws Exception {
    try (TableTrainee trainee = trainee(kind);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
      trainee.trainTo(20);
      checkpoint.save();
      // No file can have this name.
      Path obstacle = Files.createDirectory(folder.resolve("rows-000000000002.safetensors"));
      trainee.trainTo(25);
      var e = assertThrows(UncheckedIOException.class, checkpoint::save);
      assertTrue(e.getMessage().contains(folder.toString()), e.getMessage());
      try (TableTrainee loaded = trainee(kind);
          TableCheckpoint same = loaded.open(folder, MOST_CHANGES)) {
        assertTrue(same.load());
        assertEquals(20, loaded.steps());
      }
      Files.delete(obstacle);
      trainee.trainTo(28);
      checkpoint.save();
      try (TableTrainee loaded = trainee(kind);
          TableCheckpoint same = loaded.open(folder, MOST_CHANGES)) {
        assertTrue(same.load());
        TableTrainee.assertSame(trainee.bits(), loaded.bits());
      }
      assertTrue(names(folder).stream().noneMatch(each -> each.endsWith("tmp")));
    }
  }

  @Test
  void leftoversAreIgnoredAndRemoved() throws Exception {
    try (TableTrainee trainee = trainee(Kind.IDS);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
      trainee.trainTo(3);
      checkpoint.save();
      Path old = folder.resolve("full-000000000001.safetensors");
      byte[] bytes = Files.readAllBytes(old);
      checkpoint.saveAll();
      Files.write(old, bytes);
      Files.write(folder.resolve(".rows-3.tmp"), bytes);
      Files.writeString(folder.resolve("notes"), "of the user");
      trainee.trainTo(4);
      checkpoint.save();
      try (TableTrainee loaded = trainee(Kind.IDS);
          TableCheckpoint same = loaded.open(folder, MOST_CHANGES)) {
        assertTrue(same.load());
        TableTrainee.assertSame(trainee.bits(), loaded.bits());
      }
      checkpoint.saveAll();
      try (Stream<Path> files = Files.list(folder)) {
        assertEquals(
            List.of(".lock", "full-000000000004.safetensors", "notes"),
            files.map(each -> each.getFileName().toString()).sorted().toList());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void aTableIsExportedForOtherPrograms(Kind kind) throws Exception {
    try (TableTrainee trainee = trainee(kind);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES);
        Arena arena = Arena.ofConfined()) {
      trainee.trainTo(4);
      Path file = folder.resolve("weights.safetensors");
      checkpoint.export(file);
      checkpoint.export(file);
      SafetensorsFile tensors = SafetensorsFile.map(file, arena);
      assertTrue(tensors.metadata().isEmpty());
      MemorySegment weight = tensors.tensor("weight").data();
      if (trainee.table instanceof RowTable table) {
        assertEquals(List.of(300L, 5L), tensors.tensor("weight").shape());
        assertEquals(-1, weight.mismatch(table.data()));
      } else {
        IdTable table = (IdTable) trainee.table;
        MemorySegment ids = tensors.tensor("ids").data();
        assertEquals(table.size(), tensors.tensor("ids").elements());
        for (int i = 0; i < table.size(); i++) {
          MemorySegment row = arena.allocate(20);
          table.read(ids.getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, i), row);
          assertEquals(-1, row.mismatch(weight.asSlice(i * 20L, 20)));
        }
      }
      assertFalse(checkpoint.load());
    }
  }

  @Test
  void aClosedCheckpointAndAClosedTableAreRefused() throws Exception {
    try (TableTrainee trainee = trainee(Kind.IDS)) {
      TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES);
      checkpoint.close();
      checkpoint.close();
      assertThrows(IllegalStateException.class, checkpoint::save);
      assertThrows(IllegalStateException.class, checkpoint::load);
      trainee.trainTo(2);
      try (TableCheckpoint again = trainee.open(folder, MOST_CHANGES)) {
        trainee.table.close();
        assertThrows(IllegalStateException.class, again::save);
      }
    }
    for (Kind kind : Kind.values()) {
      TableTrainee trainee = trainee(kind);
      trainee.close();
      assertThrows(IllegalStateException.class, () -> trainee.open(folder, MOST_CHANGES));
    }
  }

  /// The writer often replaces all files.
  @ParameterizedTest
  @EnumSource(Kind.class)
  void otherTablesAreLoadedBesideSaves(Kind kind) throws Exception {
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    try (TableTrainee writing = trainee(kind);
        TableCheckpoint written = writing.open(folder, 2)) {
      written.save();
      Thread writer =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      while (!Thread.currentThread().isInterrupted()) {
                        writing.trainTo(writing.steps() + 1);
                        written.save();
                      }
                    } catch (Throwable e) {
                      failures.add(e);
                    }
                  });
      try {
        long steps = 0;
        while (steps < 30 && failures.isEmpty()) {
          try (TableTrainee trainee = trainee(kind);
              TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
            assertTrue(checkpoint.load());
            assertTrue(trainee.steps() >= steps, trainee.steps() + " after " + steps);
            steps = trainee.steps();
          }
        }
      } finally {
        writer.interrupt();
        writer.join();
      }
    }
    assertEquals(List.of(), failures);
  }

  @Test
  void readersGoOnDuringSaves() throws Exception {
    try (TableTrainee trainee = trainee(Kind.CHANGING_IDS);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
      trainee.trainTo(20);
      IdTable table = (IdTable) trainee.table;
      boolean[] done = new boolean[1];
      List<Throwable> failures = new ArrayList<>();
      long[] reads = new long[1];
      Thread reader =
          Thread.ofPlatform()
              .start(
                  () -> {
                    MemorySegment row = MemorySegment.ofArray(new float[TableTrainee.WIDTH]);
                    try {
                      while (!done[0]) {
                        table.read(reads[0]++ % 300 * 0x9e3779b97f4a7c15L, row);
                        Thread.onSpinWait();
                      }
                    } catch (Throwable e) {
                      failures.add(e);
                    }
                  });
      for (int i = 0; i < 20; i++) {
        trainee.trainTo(trainee.steps() + 1);
        checkpoint.save();
      }
      done[0] = true;
      reader.join();
      assertEquals(List.of(), failures);
      assertTrue(reads[0] > 0);
    }
  }

  @Test
  void aMappedTableIsLoadedOnceAndGoesOnByItself() throws Exception {
    RowTable.Builder builder = RowTable.builder(300, 5).optimizer(ADAGRAD);
    try (TableTrainee trainee = trainee(Kind.ROWS);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
      trainee.trainTo(9);
      checkpoint.save();
      Path mapped = folder.resolve("mapped");
      try (RowTable table = builder.buildMapped(mapped);
          TableCheckpoint same = TableCheckpoint.open(folder, table)) {
        assertTrue(same.load());
      }
      try (RowTable table = builder.buildMapped(mapped)) {
        assertEquals(9, table.steps());
        assertEquals(-1, table.data().mismatch(((RowTable) trainee.table).data()));
      }
      // The number of steps is at the end; this one stands for a load that was killed.
      try (RandomAccessFile file = new RandomAccessFile(mapped.toFile(), "rw")) {
        file.seek(file.length() - Long.BYTES);
        file.writeLong(-1);
      }
      var e = assertThrows(IllegalArgumentException.class, () -> builder.buildMapped(mapped));
      assertTrue(e.getMessage().contains("loading it did not end"), e.getMessage());
    }
  }

  /// Bits that a file with changes has only because the rows were noted.
  @Test
  void rowsThatCatchUpAreChanges() throws Exception {
    RowTable.Builder builder =
        RowTable.builder(10, 1).optimizer(RowOptimizer.adam(0.1).missedSteps(MissedSteps.APPLIED));
    try (Arena arena = Arena.ofConfined();
        RowTable table = builder.build();
        TableCheckpoint checkpoint = TableCheckpoint.open(folder, table)) {
      table.step(RowIds.of(1), arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1));
      table.step(RowIds.of(2), arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1));
      checkpoint.save();
      table.catchUp(RowIds.of(1));
      assertEquals(1, checkpoint.save().rows());
      try (RowTable loaded = builder.build();
          TableCheckpoint same = TableCheckpoint.open(folder, loaded)) {
        same.load();
        assertEquals(-1, loaded.data().mismatch(table.data()));
      }
    }
  }

  @Test
  void aRowOfTheProgramIsSavedWithAllRows() throws Exception {
    try (TableTrainee trainee = trainee(Kind.ROWS);
        TableTrainee other = trainee(Kind.ROWS);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES);
        TableCheckpoint same = other.open(folder, MOST_CHANGES)) {
      checkpoint.save();
      ((RowTable) trainee.table).data().set(ValueLayout.JAVA_FLOAT, 40, 7);
      assertEquals(0, checkpoint.save().rows());
      assertTrue(checkpoint.saveAll().full());
      same.load();
      TableTrainee.assertSame(trainee.bits(), other.bits());
    }
  }

  @Test
  void anInterruptDoesNotStopASave() throws Exception {
    try (TableTrainee trainee = trainee(Kind.IDS);
        TableTrainee other = trainee(Kind.IDS);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES);
        TableCheckpoint same = other.open(folder, MOST_CHANGES)) {
      trainee.trainTo(3);
      Thread.currentThread().interrupt();
      checkpoint.save();
      assertTrue(Thread.currentThread().isInterrupted());
      same.load();
      assertTrue(Thread.interrupted());
      TableTrainee.assertSame(trainee.bits(), other.bits());
    }
  }
}
