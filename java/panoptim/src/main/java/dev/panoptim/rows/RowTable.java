package dev.panoptim.rows;

import dev.panoptim.internal.checkpoint.TableState;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.TableBatch;
import dev.panoptim.internal.step.TableLayout;
import dev.panoptim.internal.step.TableMemory;
import dev.panoptim.internal.table.DenseRows;
import dev.panoptim.internal.table.FirstValues;
import dev.panoptim.internal.table.Grouping;
import dev.panoptim.internal.table.Ids;
import dev.panoptim.internal.table.OneThread;
import dev.panoptim.internal.table.RowSet;
import dev.panoptim.internal.table.TableSteps;
import dev.panoptim.internal.tensor.TensorChecks;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/// A table of `rows` x `width` floats, such as an embedding, of which each step changes the rows
/// that have gradients, and no others.
///
/// ```java
/// try (var table = RowTable.builder(1_000_000, 64).optimizer(RowOptimizer.adagrad(0.05)).normal(0.01, 1).build()) {
///   RowIds ids = RowIds.of(batch);           // such as {17, 4, 17}
///   table.gather(ids, values);               // 3 * 64 floats
///   ...                                      // computes 3 * 64 gradients
///   table.step(ids, gradients);              // changes rows 4 and 17
/// }
/// ```
///
/// Gradients of the same row are added in the order of the batch. The bits of a step depend neither
/// on the number of threads nor on the backend. With the native backend, a step is one call.
///
/// Not thread-safe: one thread at a time may use a table. [#gather], [#step], [#catchUp] and
/// [#close] refuse a second one. For readers in other threads there is [IdTable].
///
/// A table that is never closed is freed when neither it nor a segment of it can be reached, and a
/// warning is logged.
public final class RowTable implements AutoCloseable {
  /// The number of steps that a row makes one by one if it has missed them: [MissedSteps#APPLIED].
  public static final int REPLAYED = 32;

  static {
    TableState.offer(RowTable.class, RowTableState::new);
  }

  final RowOptimizer optimizer;
  final DenseRows memory;
  final TableSteps steps;
  final OneThread user = new OneThread();

  /// The rows that have changed since they were saved, or `null` if nobody saves them.
  RowSet changes;

  private final Grouping grouping = new Grouping();

  private RowTable(Builder options, Path file) {
    optimizer = options.optimizer();
    Origin origin = Origin.here("an object of class RowTable");
    boolean missed = optimizer.appliesMissedSteps();
    DenseRows.Shape shape =
        new DenseRows.Shape(
            options.rows,
            options.width,
            optimizer.rule().stateNames().size(),
            optimizer.isRowWise(),
            missed);
    Engine engine = Engine.of(options.backend());
    memory =
        file == null
            ? DenseRows.allocate(shape, origin)
            : DenseRows.map(
                shape,
                origin,
                file,
                "a table of %s rows of width %s by %s"
                    .formatted(options.rows, options.width, optimizer.describe()),
                each -> initialise(each, options));
    try {
      if (file == null) {
        initialise(memory, options);
      }
      if (memory.steps() == DenseRows.INCOMPLETE) {
        throw new IllegalArgumentException(
            "%s has a part of a checkpoint, because loading it did not end; delete the file"
                .formatted(file));
      }
      TableLayout layout =
          new TableLayout(memory, optimizer.rule(), optimizer.isRowWise(), missed ? REPLAYED : 0);
      steps = options.steps(engine, layout);
      if (memory.steps() != 0) {
        steps.restore(memory.steps(), new double[0]);
      }
    } catch (Throwable e) {
      memory.close();
      throw e;
    }
  }

  private static void initialise(DenseRows rows, Builder options) {
    FirstValues values = options.firstValues();
    MemorySegment data = rows.operand(TableMemory.PARAMETER);
    if (!values.isZero()) {
      for (long row = 0; row < rows.rows(); row++) {
        values.write(row, rows.width(), data, rows.offset(TableMemory.PARAMETER, row));
      }
    }
    float sum = options.optimizer().firstSum();
    if (sum != 0) {
      int second = options.optimizer().rule().stateNames().indexOf("secondMoment");
      fill(
          rows.operand(
              options.optimizer().isRowWise() ? TableMemory.SUM : TableMemory.STATE + second),
          sum);
    }
  }

  private static void fill(MemorySegment floats, float value) {
    for (long i = 0; i < floats.byteSize() / Float.BYTES; i++) {
      floats.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
    }
  }

  /// Begins to describe a table, with an optimizer still to be given.
  ///
  /// @param rows the number of rows, 1 or more
  /// @param width the elements of each row, 1 or more
  public static Builder builder(long rows, int width) {
    return new Builder(rows, width);
  }

  /// The number of rows.
  public long rows() {
    return memory.rows();
  }

  /// The elements of a row.
  public int width() {
    return memory.width();
  }

  /// All rows, one after another: `rows` x `width` floats. With [MissedSteps#APPLIED], a row is as
  /// it was after its last step until [#catchUp].
  public MemorySegment data() {
    return memory.operand(TableMemory.PARAMETER);
  }

  /// Copies rows, in the order of the ids.
  ///
  /// @param target `count` x `width` floats, on or off the heap
  /// @throws IndexOutOfBoundsException if an id is not from 0 to [#rows] - 1; nothing has been
  ///   copied
  /// @throws IllegalArgumentException if the target has another size, is read-only, or overlaps the
  ///   table
  /// @throws IllegalStateException if another thread uses the table, or it or the arena of the ids
  ///   or target has been closed
  /// @throws WrongThreadException if the arena of the target is confined to another thread
  public void gather(RowIds ids, MemorySegment target) {
    Ids all = ids.ids();
    long rowBytes = (long) width() * Float.BYTES;
    TensorChecks.requireCopyable("target", target, all.count() * rowBytes, true);
    requireDisjoint("target", target);
    user.enter();
    try {
      Grouping.requireRows(all, rows());
      MemorySegment data = data();
      for (int i = 0; i < all.count(); i++) {
        MemorySegment.copy(data, all.get(i) * rowBytes, target, i * rowBytes, rowBytes);
      }
    } finally {
      user.leave();
    }
  }

  /// Makes a step over the rows of a batch.
  ///
  /// @param gradients `count` x `width` floats off-heap: a gradient for each id, which are added if
  ///   an id occurs more than once
  /// @return the number of different rows
  /// @throws IndexOutOfBoundsException if an id is not from 0 to [#rows] - 1
  /// @throws IllegalArgumentException if the gradients have another size, are on the heap, are not
  ///   aligned to 4 bytes, or overlap the table
  /// @throws IllegalStateException if another thread uses the table, or it or the arena of the ids
  ///   or gradients has been closed
  /// @throws OutOfMemoryError if the lists of the batch would exceed the limit of memory
  /// @throws WrongThreadException if the gradients are confined to another thread. After any of
  ///   these, no byte of the table has changed
  public int step(RowIds ids, MemorySegment gradients) {
    user.enter();
    try {
      Ids all = ids.ids();
      steps.requireGradients(gradients, all.count());
      requireDisjoint("gradients", gradients);
      TableBatch batch = steps.batch();
      grouping.group(all, rows() - 1, batch);
      note(batch);
      steps.step(gradients);
      memory.steps(steps.count());
      return batch.count();
    } finally {
      user.leave();
    }
  }

  /// Notes that the rows of a batch change.
  private void note(TableBatch batch) {
    RowSet noted = changes;
    if (noted != null) {
      for (int i = 0; i < batch.count(); i++) {
        noted.add(batch.row(i));
      }
    }
  }

  private void requireDisjoint(String name, MemorySegment segment) {
    for (int i = 0; i < TableMemory.OPERANDS; i++) {
      MemorySegment operand = memory.operand(i);
      if (operand != null
          && segment.isNative()
          && segment.address() < operand.address() + operand.byteSize()
          && operand.address() < segment.address() + segment.byteSize()) {
        TensorChecks.requireDisjoint(
            List.of(
                new TensorChecks.Named(name, segment, segment.byteSize()),
                new TensorChecks.Named("the table", operand, operand.byteSize())));
      }
    }
  }

  /// Makes the steps that rows have missed so far, so that [#gather] reads what a dense optimizer
  /// would have reached. Without effect unless the optimizer has [MissedSteps#APPLIED].
  ///
  /// @throws IndexOutOfBoundsException if an id is not from 0 to [#rows] - 1; nothing has changed
  /// @throws IllegalStateException if another thread uses the table, or it or the arena of the ids
  ///   has been closed
  public void catchUp(RowIds ids) {
    user.enter();
    try {
      if (memory.stride(TableMemory.STEPS) == 0) {
        Grouping.requireRows(ids.ids(), rows());
      } else {
        grouping.distinct(ids.ids(), rows() - 1, steps.batch());
        note(steps.batch());
        steps.catchUp();
      }
    } finally {
      user.leave();
    }
  }

  /// The number of steps so far.
  public long steps() {
    return steps.count();
  }

  /// The learning rate of the next step.
  public double learningRate() {
    return steps.learningRate();
  }

  /// Changes the learning rate, from the next step on. A thread that uses the table at the same
  /// time is not noticed.
  ///
  /// @throws IllegalArgumentException if it is no finite number of 0 or more, or 0 with FTRL
  public void learningRate(double value) {
    steps.learningRate(value);
  }

  /// Frees the memory, or ends the mapping of the file. Closing twice has no effect.
  ///
  /// @throws IllegalStateException if another thread uses the table
  @Override
  public void close() {
    user.enter();
    try {
      memory.close();
    } finally {
      user.leave();
    }
  }

  /// Describes a table.
  ///
  /// Not thread-safe.
  public static final class Builder extends TableBuilder<Builder> {
    private final long rows;
    private final int width;

    private Builder(long rows, int width) {
      this.rows = rows;
      this.width = width;
    }

    /// Allocates the table.
    ///
    /// @throws IllegalStateException if no optimizer has been given
    /// @throws IllegalArgumentException if rows or width are below 1 or together too large, the
    ///   backend works on a GPU, or options do not fit together
    /// @throws OutOfMemoryError if the system has too little memory, or the memory would exceed the
    ///   limit `panoptim.memory.limit`
    public RowTable build() {
      return new RowTable(this, null);
    }

    /// Maps a table with its states and the number of its steps to a file, which may be larger than
    /// memory. The file is created, with first values, if it does not exist or is empty, and is
    /// never deleted. It is no checkpoint: a step that is interrupted leaves some rows changed. One
    /// table at a time may step. The file does not have the learning rate; steps that were missed
    /// before it was mapped are made with the present one.
    ///
    /// @param file a regular file in the default file system
    /// @throws IllegalArgumentException as [#build], or if the file has other content, or a table
    ///   of another size or optimizer, or an impossible number of steps
    /// @throws UncheckedIOException if the file cannot be opened, written or mapped
    public RowTable buildMapped(Path file) {
      return new RowTable(this, Objects.requireNonNull(file, "file is null"));
    }
  }
}
