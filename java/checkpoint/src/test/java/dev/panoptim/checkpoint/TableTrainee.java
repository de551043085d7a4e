package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panoptim.backend.Backend;
import dev.panoptim.internal.checkpoint.TableState;
import dev.panoptim.rows.IdTable;
import dev.panoptim.rows.MissedSteps;
import dev.panoptim.rows.RowIds;
import dev.panoptim.rows.RowOptimizer;
import dev.panoptim.rows.RowTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.zip.CRC32;

/// A small training of a table for tests. A step depends only on its number, so that the training
/// can be interrupted anywhere and compared bit by bit.
///
/// Not thread-safe.
final class TableTrainee implements AutoCloseable {
  static final Map<String, RowOptimizer> OPTIMIZERS = new LinkedHashMap<>();

  static {
    OPTIMIZERS.put("sgd", RowOptimizer.sgd(0.1));
    OPTIMIZERS.put("momentum", RowOptimizer.sgd(0.1).momentum(0.9));
    OPTIMIZERS.put("nesterov", RowOptimizer.sgd(0.1).momentum(0.8).nesterov(true));
    OPTIMIZERS.put("adagrad", RowOptimizer.adagrad(0.05));
    OPTIMIZERS.put("adagrad from 0.1", RowOptimizer.adagrad(0.05).initialAccumulator(0.1));
    OPTIMIZERS.put("rowWiseAdagrad", RowOptimizer.rowWiseAdagrad(0.05));
    OPTIMIZERS.put(
        "rowWiseAdagrad from 0.5", RowOptimizer.rowWiseAdagrad(0.05).initialAccumulator(0.5));
    OPTIMIZERS.put("adam", RowOptimizer.adam(0.01));
    OPTIMIZERS.put("adamW", RowOptimizer.adamW(0.01).weightDecay(0.1));
    OPTIMIZERS.put("adam, as if dense", RowOptimizer.adam(0.01).missedSteps(MissedSteps.APPLIED));
    OPTIMIZERS.put(
        "adamW, as if dense",
        RowOptimizer.adamW(0.01)
            .weightDecay(0.1)
            .betas(0.8, 0.99)
            .missedSteps(MissedSteps.APPLIED));
    OPTIMIZERS.put("ftrl", RowOptimizer.ftrl(0.1).l1(0.01).l2(0.02));
  }

  /// The kinds of tables.
  enum Kind {
    ROWS,
    IDS,
    /// Ids are admitted late, and forgotten.
    CHANGING_IDS
  }

  static final int ROWS = 300;
  static final int WIDTH = 5;

  private static final int BATCH = 30;

  /// Steps without a gradient after which an id is forgotten.
  private static final int EVICT_AFTER = 12;

  final Kind kind;
  final AutoCloseable table;
  final TableState state;
  private final int rows;

  TableTrainee(Kind kind, RowOptimizer optimizer, Backend backend) {
    this(kind, optimizer, backend, ROWS, WIDTH);
  }

  TableTrainee(Kind kind, RowOptimizer optimizer, Backend backend, int rows, int width) {
    this.kind = kind;
    this.rows = rows;
    if (kind == Kind.ROWS) {
      table =
          RowTable.builder(rows, width)
              .optimizer(optimizer)
              .normal(0.1, 3)
              .backend(backend)
              .threads(2)
              .build();
    } else {
      IdTable.Builder builder =
          IdTable.builder(width).optimizer(optimizer).normal(0.1, 3).backend(backend).threads(2);
      if (kind == Kind.CHANGING_IDS) {
        // The counts are halved several times in a training.
        builder.admitAfter(2, 400).evictAfter(EVICT_AFTER);
      }
      table = builder.build();
    }
    state = TableState.of(table);
  }

  TableCheckpoint open(Path folder, int mostChanges) {
    return TableCheckpoint.open(folder, table, mostChanges);
  }

  long steps() {
    return state.steps();
  }

  void trainTo(long last) {
    try (Arena arena = Arena.ofConfined()) {
      while (steps() < last) {
        step(arena);
      }
    }
  }

  private void step(Arena arena) {
    long number = steps();
    SplittableRandom random = new SplittableRandom(number * 77 + 5);
    long[] ids = new long[BATCH];
    for (int i = 0; i < BATCH; i++) {
      ids[i] = (long) (rows * Math.pow(random.nextDouble(), 3));
      if (kind != Kind.ROWS) {
        // Frequent ids become rare, and others frequent.
        ids[i] = (ids[i] + number / 4 * 11) % rows * 0x9e3779b97f4a7c15L;
      }
    }
    int width = state.fields().getFirst().values();
    MemorySegment gradients = arena.allocate((long) BATCH * width * Float.BYTES, Float.BYTES);
    for (int i = 0; i < BATCH * width; i++) {
      gradients.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
    }
    double rate = 0.1 / (1 + number % 10);
    long[] some = {
      ids[0], random.nextInt(rows), random.nextInt(rows), random.nextInt(rows), ids[0]
    };
    if (kind != Kind.ROWS) {
      for (int i = 1; i < 4; i++) {
        some[i] *= 0x9e3779b97f4a7c15L;
      }
    }
    if (table instanceof RowTable numbered) {
      if (number % 7 == 0) {
        numbered.learningRate(rate);
      }
      numbered.step(RowIds.of(ids), gradients);
      if (number % 5 == 0) {
        numbered.catchUp(RowIds.of(some));
      }
    } else {
      IdTable byId = (IdTable) table;
      if (number % 7 == 0) {
        byId.learningRate(rate);
      }
      byId.step(RowIds.of(ids), gradients);
      if (number % 5 == 0) {
        byId.catchUp(RowIds.of(some));
      }
    }
  }

  /// Everything that must be equal: rows and states by id, steps, learning rates, counts of ids.
  Map<String, String> bits() {
    Map<String, String> all = new TreeMap<>();
    state.enter();
    try (Arena arena = Arena.ofConfined()) {
      TableState.Rows present = state.all();
      int count = (int) present.count();
      MemorySegment ids = read(arena, present.ids(), count, Long.BYTES);
      Set<Long> old = new HashSet<>();
      // The last step comes first: it decides about the others.
      for (TableState.Field field : state.fields().reversed()) {
        MemorySegment values = read(arena, present.values(field), count, field.bytes());
        for (int i = 0; i < count; i++) {
          long id = ids.getAtIndex(ValueLayout.JAVA_LONG, i);
          MemorySegment value = values.asSlice(i * field.bytes(), field.bytes());
          if (field.name().equals("lastStep")
              && kind == Kind.CHANGING_IDS
              && value.get(ValueLayout.JAVA_LONG, 0) < state.steps() - EVICT_AFTER) {
            // As good as absent: when it is freed depends on its place in memory.
            old.add(id);
          }
          if (!old.contains(id)) {
            all.put(id + "/" + field.name(), bits(value));
          }
        }
      }
      if (state.sightings() != null) {
        all.put("sightings", bits(state.sightings()));
      }
    } finally {
      state.leave();
    }
    all.put("additions", Long.toString(state.additions()));
    all.put("steps", Long.toString(state.steps()));
    all.put("rate", Double.toString(state.learningRate()));
    all.put("rates", Arrays.toString(state.learningRates()));
    if (table instanceof IdTable byId) {
      all.put("completed", Long.toString(byId.steps()));
      for (long id = 0; id < rows; id++) {
        all.put("read " + id, read(byId, id * 0x9e3779b97f4a7c15L));
      }
    }
    return all;
  }

  /// Compares all bits of two tables.
  static void assertSame(Map<String, String> expected, Map<String, String> found) {
    Map<String, String> all = new TreeMap<>(expected);
    found.forEach(
        (name, value) -> {
          if (!all.remove(name, value)) {
            all.put(name, all.get(name) + ", but is " + value);
          }
        });
    assertEquals(Map.of(), all);
  }

  private static String read(IdTable table, long id) {
    MemorySegment row = MemorySegment.ofArray(new float[table.width()]);
    return table.read(id, row) + " " + bits(row);
  }

  private static MemorySegment read(Arena arena, TableState.Reader reader, int count, long bytes) {
    MemorySegment all = arena.allocate(count * bytes, Long.BYTES);
    reader.read(count, all);
    return all;
  }

  private static String bits(MemorySegment values) {
    CRC32 crc = new CRC32();
    crc.update(values.toArray(ValueLayout.JAVA_BYTE));
    return Checksums.hex(crc);
  }

  @Override
  public void close() throws Exception {
    table.close();
  }
}
