package dev.panoptim.rows;

import dev.panoptim.internal.checkpoint.TableState;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.TableBatch;
import dev.panoptim.internal.step.TableLayout;
import dev.panoptim.internal.step.TableMemory;
import dev.panoptim.internal.table.FirstValues;
import dev.panoptim.internal.table.Grouping;
import dev.panoptim.internal.table.IdChanges;
import dev.panoptim.internal.table.IdIndex;
import dev.panoptim.internal.table.IdRecords;
import dev.panoptim.internal.table.IdRecords.Reading;
import dev.panoptim.internal.table.Ids;
import dev.panoptim.internal.table.OneThread;
import dev.panoptim.internal.table.Sightings;
import dev.panoptim.internal.table.TableSteps;
import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/// A table from 64-bit ids to rows of floats that grows as ids appear, and that other threads read
/// while it learns.
///
/// ```java
/// try (var table = IdTable.builder(32).optimizer(RowOptimizer.adagrad(0.05)).uniform(0.05, 1).build()) {
///   RowIds ids = RowIds.of(batch);       // any longs
///   table.gather(ids, values);           // an unknown id has its first values
///   table.step(ids, gradients);          // unknown ids get rows
/// }
/// ```
///
/// The first values of a row are a hash of its id, so they are the same whenever it is first seen,
/// and those of an id that has no row are known too. States are beside the row.
///
/// With [Builder#admitAfter], an id gets a row only when it has been in several steps; until then
/// its gradients are dropped. With [Builder#evictAfter], an id that had no gradient for many steps
/// is as if it had never had a row. What a step does depends on the steps before alone, neither on
/// threads nor on memory.
///
/// [#read] and [#gather] may be called by any thread at any time, without a lock. Each row is one
/// that a step has left, though different rows may be of different steps; a row that changes during
/// the copy is copied again. [#size], [#steps] and [#width] are for any thread too. All other
/// methods are for one thread at a time; [#step], [#catchUp] and [#close] refuse a second one. So,
/// in short: thread-safe for readers.
///
/// A table that is never closed is freed when it cannot be reached, and a warning is logged.
public final class IdTable implements AutoCloseable {
  /// How many records a step examines at most, to free those of ids that have been away for too
  /// long.
  private static final int MOST_EXAMINED = 4096;

  static final long NEVER = Long.MAX_VALUE;

  static {
    TableState.offer(IdTable.class, IdTableState::new);
  }

  final RowOptimizer optimizer;
  final FirstValues firstValues;
  final int admitAfter;
  final long expectedIds;
  final long evictAfter;
  final OwnedArena arena;
  final IdIndex index;
  final IdRecords records;

  /// `null` if every id is admitted at once.
  final Sightings sightings;

  final TableSteps steps;
  final OneThread user = new OneThread();

  /// What has changed since the rows were saved, or `null` if nobody saves them.
  IdChanges changes;

  private final int width;
  private final Grouping grouping = new Grouping();

  /// The number of steps, for readers.
  private volatile long completed;

  /// The record that is examined next.
  private long examined;

  private IdTable(Builder options) {
    width = options.width;
    optimizer = options.optimizer();
    firstValues = options.firstValues();
    admitAfter = options.admitAfter;
    expectedIds = options.expectedIds;
    evictAfter = options.evictAfter;
    Engine engine = Engine.of(options.backend());
    arena = OwnedArena.of(MemoryKind.PARAMETERS, Origin.here("an object of class IdTable"));
    try {
      index = new IdIndex(arena);
      records =
          new IdRecords(width, optimizer.rule().stateNames().size(), optimizer.isRowWise(), arena);
      records.reserve();
      sightings = admitAfter == 1 ? null : new Sightings(expectedIds, expectedIds, arena);
      steps =
          options.steps(
              engine,
              new TableLayout(
                  records,
                  optimizer.rule(),
                  optimizer.isRowWise(),
                  optimizer.appliesMissedSteps() ? RowTable.REPLAYED : 0));
    } catch (Throwable e) {
      CloseAll.after(e, List.of(arena::close));
      throw e;
    }
  }

  /// Begins to describe a table, with an optimizer still to be given.
  ///
  /// @param width the elements of each row, 1 or more
  public static Builder builder(int width) {
    return new Builder(width);
  }

  /// The elements of a row.
  public int width() {
    return width;
  }

  /// Copies the row of an id. Any thread may call this at any time.
  ///
  /// With [MissedSteps#APPLIED], the row is as it was after its last step.
  ///
  /// @param target `width` floats, on or off the heap
  /// @return whether the id has a row; if not, its first values have been copied
  /// @throws IllegalArgumentException if the target has another size, or is read-only
  /// @throws IllegalStateException if the table has been closed
  public boolean read(long id, MemorySegment target) {
    TensorChecks.requireCopyable("target", target, (long) width * Float.BYTES, true);
    return read(id, target, 0);
  }

  private boolean read(long id, MemorySegment target, long offset) {
    for (int turns = 1; true; turns++) {
      long record = index.find(id);
      if (record == IdIndex.ABSENT) {
        break;
      }
      Reading reading = records.read(record, id, oldest(completed), target, offset);
      if (reading == Reading.WHOLE) {
        return true;
      }
      if (reading == Reading.EXPIRED) {
        break;
      }
      IdIndex.pause(turns);
    }
    firstValues.write(id, width, target, offset);
    return false;
  }

  /// The number of the oldest step whose rows are not too old after some steps.
  private long oldest(long now) {
    return evictAfter == NEVER ? Long.MIN_VALUE : now - evictAfter;
  }

  /// Copies rows, in the order of the ids, as [#read] does. Any thread may call this at any time.
  ///
  /// @param target `count` x `width` floats, on or off the heap
  /// @throws IllegalArgumentException if the target has another size, or is read-only
  /// @throws IllegalStateException if the table, or the arena of the ids, has been closed
  public void gather(RowIds ids, MemorySegment target) {
    Ids all = ids.ids();
    long rowBytes = (long) width * Float.BYTES;
    TensorChecks.requireCopyable("target", target, all.count() * rowBytes, true);
    for (int i = 0; i < all.count(); i++) {
      read(all.get(i), target, i * rowBytes);
    }
  }

  /// Makes a step over the rows of a batch. Ids without a row get one, if they are admitted.
  ///
  /// @param gradients `count` x `width` floats off-heap: a gradient for each id, which are added if
  ///   an id occurs more than once
  /// @return the number of different rows that were updated
  /// @throws IllegalArgumentException if the gradients have another size, are on the heap, or are
  ///   not aligned to 4 bytes
  /// @throws IllegalStateException if another thread uses the table, or it or the arena of the ids
  ///   or gradients has been closed
  /// @throws WrongThreadException if the gradients are confined to another thread
  /// @throws OutOfMemoryError if new rows would exceed the limit of memory, or the system has too
  ///   little. No row has another value after any of these, but some ids may have got their first
  ///   values as rows
  public int step(RowIds ids, MemorySegment gradients) {
    user.enter();
    try {
      Ids all = ids.ids();
      steps.requireGradients(gradients, all.count());
      TableBatch batch = steps.batch();
      grouping.group(all, Grouping.ANY, batch);
      replaceIds(batch, true);
      steps.step(gradients);
      completed = steps.count();
      free();
      return batch.count();
    } finally {
      user.leave();
    }
  }

  /// Replaces the ids of a batch by records, and leaves out those that have none.
  ///
  /// @param admits whether ids without a record get one if they are admitted
  private void replaceIds(TableBatch batch, boolean admits) {
    int kept = 0;
    for (int i = 0; i < batch.count(); i++) {
      long record = admits ? admitted(batch.row(i)) : known(batch.row(i));
      if (record != IdIndex.ABSENT) {
        batch.move(i, kept);
        batch.setRow(kept, record);
        kept++;
      }
    }
    batch.truncate(kept);
    note(batch);
  }

  /// Notes that the records of a batch change.
  private void note(TableBatch batch) {
    IdChanges noted = changes;
    if (noted != null) {
      for (int i = 0; i < batch.count(); i++) {
        noted.changed(batch.row(i));
      }
    }
  }

  /// The record of an id that is not too old, or [IdIndex#ABSENT].
  private long known(long id) {
    long record = index.find(id);
    return record != IdIndex.ABSENT && isOld(record) ? IdIndex.ABSENT : record;
  }

  private boolean isOld(long record) {
    return records.lastStep(record) < oldest(steps.count());
  }

  private long admitted(long id) {
    long record = index.find(id);
    if (record != IdIndex.ABSENT && isOld(record)) {
      remove(id, record);
      record = IdIndex.ABSENT;
    }
    if (record != IdIndex.ABSENT || sightings != null && sightings.add(id) < admitAfter) {
      return record;
    }
    return add(id);
  }

  /// Makes room for a record, also where its changes are noted.
  void reserve() {
    records.reserve();
    if (changes != null) {
      changes.reserve(records.count() + 1);
    }
  }

  private long add(long id) {
    reserve();
    long record = records.take(id);
    try {
      firstValues.write(
          id,
          width,
          records.segment(TableMemory.PARAMETER, record),
          records.offset(TableMemory.PARAMETER, record));
      clearStates(record);
      records.lastStep(record, steps.count());
      records.publish(record);
      index.put(id, record);
      if (changes != null) {
        changes.changed(record);
      }
      return record;
    } catch (Throwable e) {
      records.free(record);
      throw e;
    }
  }

  private void clearStates(long record) {
    List<String> names = optimizer.rule().stateNames();
    for (int i = 0; i < names.size(); i++) {
      float first = names.get(i).equals("secondMoment") ? optimizer.firstSum() : 0;
      MemorySegment state = records.segment(TableMemory.STATE + i, record);
      long offset = records.offset(TableMemory.STATE + i, record);
      for (int column = 0; column < width; column++) {
        state.set(ValueLayout.JAVA_FLOAT, offset + (long) column * Float.BYTES, first);
      }
    }
    if (optimizer.isRowWise()) {
      records
          .segment(TableMemory.SUM, record)
          .set(
              ValueLayout.JAVA_FLOAT,
              records.offset(TableMemory.SUM, record),
              optimizer.firstSum());
    }
  }

  void remove(long id, long record) {
    if (changes != null) {
      changes.removed(id, record);
    }
    index.remove(id);
    records.free(record);
  }

  /// Frees some of the records that are too old, so that all have been examined before a record is
  /// twice as old as it may be. They are as good as absent already.
  private void free() {
    if (evictAfter == NEVER || records.count() == 0) {
      return;
    }
    long due = Math.ceilDiv(records.count(), evictAfter);
    for (long i = Math.min(due, MOST_EXAMINED); i > 0; i--) {
      examined = examined + 1 < records.count() ? examined + 1 : 0;
      if (records.isLive(examined) && isOld(examined)) {
        remove(records.id(examined), examined);
      }
    }
  }

  /// Makes the steps that rows have missed so far, so that [#gather] reads what a dense optimizer
  /// would have reached. Ids without a row stay without one. Without effect unless the optimizer
  /// has [MissedSteps#APPLIED].
  ///
  /// @throws IllegalStateException if another thread uses the table, or it or the arena of the ids
  ///   has been closed
  public void catchUp(RowIds ids) {
    user.enter();
    try {
      if (!optimizer.appliesMissedSteps()) {
        return;
      }
      TableBatch batch = steps.batch();
      grouping.distinct(ids.ids(), Grouping.ANY, batch);
      replaceIds(batch, false);
      steps.catchUp();
    } finally {
      user.leave();
    }
  }

  /// The number of ids that have rows. Rows that are too old may be among them for a while. Any
  /// thread may call this.
  public long size() {
    return index.size();
  }

  /// The off-heap memory of the table in bytes, for the thread that steps.
  public long memory() {
    return index.bytes()
        + records.bytes()
        + (sightings == null ? 0 : sightings.memory().byteSize());
  }

  /// The number of steps so far. Any thread may call this.
  public long steps() {
    return completed;
  }

  /// Sets the number of steps that readers see.
  void completed(long number) {
    completed = number;
  }

  /// The learning rate of the next step.
  public double learningRate() {
    return steps.learningRate();
  }

  /// Changes the learning rate, from the next step on. A thread that steps at the same time is not
  /// noticed.
  ///
  /// @throws IllegalArgumentException if it is no finite number of 0 or more, or 0 with FTRL
  public void learningRate(double value) {
    steps.learningRate(value);
  }

  /// Frees the memory. Closing twice has no effect. Readers get an [IllegalStateException] from
  /// then on.
  ///
  /// @throws IllegalStateException if another thread uses the table
  @Override
  public void close() {
    user.enter();
    try {
      arena.close();
    } finally {
      user.leave();
    }
  }

  /// Describes a table.
  ///
  /// Not thread-safe.
  public static final class Builder extends TableBuilder<Builder> {
    private final int width;
    private int admitAfter = 1;
    private long expectedIds = 1 << 20;
    private long evictAfter = NEVER;

    private Builder(int width) {
      this.width = width;
    }

    /// Gives an id a row only in the step in which it is seen for the `steps`-th time. The default
    /// is 1: at once.
    ///
    /// The sightings of ids without a row are counted in a count-min sketch, which may count too
    /// many. It halves all counts after each `expectedIds` sightings, so that rare ids are
    /// forgotten.
    ///
    /// @param steps the number of steps that have the id, 1 to 127
    /// @param expectedIds the number of different ids that may be counted at the same time; the
    ///   sketch takes 4 to 8 bytes for each
    /// @throws IllegalArgumentException if a number is out of range
    public Builder admitAfter(int steps, long expectedIds) {
      if (steps < 1 || steps > 127) {
        throw new IllegalArgumentException("steps is " + steps + ", but must be from 1 to 127");
      }
      if (expectedIds < 1 || expectedIds > Sightings.MOST_IDS) {
        throw new IllegalArgumentException(
            "expectedIds is %s, but must be from 1 to %s"
                .formatted(expectedIds, Sightings.MOST_IDS));
      }
      admitAfter = steps;
      this.expectedIds = expectedIds;
      return this;
    }

    /// Forgets an id that has had no gradient for more than this number of steps; to be caught up,
    /// with [MissedSteps#APPLIED], counts as a gradient. The default is never. Its memory is used
    /// again within as many steps; of large tables with short times, each step frees a limited
    /// number. With [#admitAfter], earlier sightings of the id still count.
    ///
    /// @param steps 1 or more
    /// @throws IllegalArgumentException if it is below 1
    public Builder evictAfter(long steps) {
      if (steps < 1) {
        throw new IllegalArgumentException("steps is " + steps + ", but must be 1 or more");
      }
      evictAfter = steps;
      return this;
    }

    /// Creates an empty table.
    ///
    /// @throws IllegalStateException if no optimizer has been given
    /// @throws IllegalArgumentException if the width is below 1 or above 2^24, the backend works on
    ///   a GPU, or options do not fit together
    /// @throws OutOfMemoryError if the memory would exceed the limit `panoptim.memory.limit`
    public IdTable build() {
      if (width < 1 || width > MOST_WIDTH) {
        throw new IllegalArgumentException(
            "width is %s, but must be from 1 to %s".formatted(width, MOST_WIDTH));
      }
      return new IdTable(this);
    }

    private static final int MOST_WIDTH = 1 << 24;
  }
}
