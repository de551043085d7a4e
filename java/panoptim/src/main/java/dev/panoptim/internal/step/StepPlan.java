package dev.panoptim.internal.step;

import dev.panoptim.internal.parallel.ThreadProperties;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// A group's step as engines see it: the [Rows], where their gradients are now, the [StepValues],
/// and what an engine [Prepared] of them.
///
/// Gradients are kept here and not in the rows: the rows stay immutable, and a move of gradients
/// ends at the one object that also knows what was prepared and must follow.
///
/// Not thread-safe.
public final class StepPlan implements AutoCloseable {
  private final Rows rows;
  private final StepValues values;
  private final RowGradients gradients;

  /// `null` before the first step, and after [#close].
  private Prepared prepared;

  /// One plan for each group of rows.
  ///
  /// @throws IllegalArgumentException as [ThreadProperties#requireValid()] and [Rows#of]
  /// @throws IllegalStateException as [Rows#of]
  /// @throws WrongThreadException as [Rows#of]
  static List<StepPlan> of(List<RowGroup> groups) {
    ThreadProperties.requireValid();
    return Rows.of(groups).stream().map(StepPlan::new).toList();
  }

  /// One plan for each group of rows, which all have the same format; otherwise as [#of(List)].
  public static List<StepPlan> of(RowFormat format, List<List<Row>> groups) {
    return of(groups.stream().map(rows -> new RowGroup(format, rows)).toList());
  }

  private StepPlan(Rows rows) {
    this.rows = rows;
    values = new StepValues(rows);
    gradients = new RowGradients(rows);
  }

  public Rows rows() {
    return rows;
  }

  public StepValues values() {
    return values;
  }

  /// Where a row's gradient is now; its [Row#gradient] is where it was when the rows were built.
  public MemorySegment gradient(int row) {
    return gradients.at(row);
  }

  /// Sets what happens to gradients around the update.
  ///
  /// @param clip the largest absolute value of a scaled gradient, 0 or more; infinite for no limit
  /// @param zeroes whether gradients are set to 0 once they have been used
  /// @throws IllegalArgumentException if gradients are to be set to 0 but one of them is read-only,
  ///   or `clip` is not a number of 0 or more; nothing has changed
  void treatGradients(float clip, boolean zeroes) {
    if (!(clip >= 0)) {
      throw new IllegalArgumentException("clip is " + clip + ", but must be 0 or more");
    }
    if (zeroes && !values.zeroes()) {
      gradients.requireWritable();
    }
    values.treatGradients(clip, zeroes);
  }

  boolean acceptGradients(MemorySegment[] moved) {
    return gradients.accept(moved, values.zeroes());
  }

  MemorySegment acceptedGradient(int row) {
    return gradients.candidate(row);
  }

  void dropAcceptedGradients() {
    gradients.drop();
  }

  /// Makes the accepted segments the gradients. Allocates nothing and cannot fail.
  void adoptAcceptedGradients() {
    gradients.adopt();
    if (prepared != null) {
      prepared.gradientsMoved();
    }
  }

  /// What an engine made of this plan; `null` if there is nothing.
  public Prepared prepared() {
    return prepared;
  }

  /// The threads that were asked to help with the last step; see [Prepared#helpers].
  public int helpers() {
    return prepared == null ? 0 : prepared.helpers();
  }

  /// Keeps what an engine made, and closes what was kept before.
  void keep(Prepared made) {
    Prepared before = prepared;
    prepared = made;
    if (before != null) {
      before.close();
    }
  }

  /// Gives what an engine made back to it, and forgets it. What another engine made is of no use to
  /// this one, and is closed.
  ///
  /// @return `null` if there is nothing of this engine
  Prepared giveBackTo(Engine engine) {
    if (prepared == null || prepared.engine() != engine) {
      close();
      return null;
    }
    Prepared given = prepared;
    prepared = null;
    return given;
  }

  /// Frees what an engine made. A later step makes it anew.
  @Override
  public void close() {
    Prepared closed = prepared;
    prepared = null;
    if (closed != null) {
      closed.close();
    }
  }
}
