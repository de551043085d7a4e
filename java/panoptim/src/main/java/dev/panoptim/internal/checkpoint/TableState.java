package dev.panoptim.internal.checkpoint;

import dev.panoptim.internal.step.TableMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// What a checkpoint saves and loads of a table: a class of the API that is no subtype of this one,
/// because users would see that.
///
/// Not thread-safe: the caller calls [#enter] before the other methods, and [#leave] after them.
public interface TableState {
  /// A part of a row, with a value or several values for each row.
  ///
  /// Immutable.
  ///
  /// @param name unique among the fields
  /// @param operand of [dev.panoptim.internal.step.TableMemory]
  /// @param isLong whether the values are longs, not floats
  /// @param values of a row; 0 stands for a single one that is no array
  record Field(String name, int operand, boolean isLong, int values) {
    /// The bytes of a row.
    public long bytes() {
      return (long) Math.max(values, 1) * (isLong ? Long.BYTES : Float.BYTES);
    }
  }

  /// Some rows, and ids that have been removed. Valid until the table changes.
  interface Rows {
    long count();

    Reader ids();

    Reader values(Field field);

    long removedCount();

    Reader removed();
  }

  /// Reads values from the first row on.
  interface Reader {
    /// @param count the number of next rows
    /// @param to where their values will be, one after another
    void read(int count, MemorySegment to);
  }

  /// The rows of a file, to be loaded.
  ///
  /// @param name of the file, for messages
  /// @param ids longs, aligned or not; `null` if these are all rows in their order
  /// @param removed longs: ids that have been removed since the file before; they come first
  /// @param values for each of the [#fields]
  record Part(
      String name,
      long count,
      MemorySegment ids,
      MemorySegment removed,
      Map<Field, MemorySegment> values) {}

  /// A whole table, to be loaded.
  ///
  /// @param learningRate of the next step
  /// @param learningRates of the last steps
  /// @param sightings `null` if the table has none
  /// @param parts the first one has all rows, and the others those that changed then
  record Contents(
      long steps,
      double learningRate,
      double[] learningRates,
      MemorySegment sightings,
      long additions,
      List<Part> parts) {}

  /// The state of a table.
  static TableState of(Object table) {
    return Offered.ALL.get(table.getClass()).apply(table);
  }

  /// Lets [#of] know how to find the state of tables of a class.
  static <T> void offer(Class<T> type, Function<T, TableState> state) {
    Offered.ALL.put(type, table -> state.apply(type.cast(table)));
  }

  /// Begins a use of the table.
  ///
  /// @throws IllegalStateException if another thread uses it
  void enter();

  void leave();

  /// All that must be equal for a table that continues, by name.
  Map<String, String> description();

  List<Field> fields();

  /// Whether rows have ids of their own, so that a file with all rows has to have them.
  boolean hasIds();

  long steps();

  double learningRate();

  double[] learningRates();

  /// The counts of ids without a row, or `null`.
  MemorySegment sightings();

  long additions();

  /// Begins to note changes.
  ///
  /// @throws IllegalStateException if they are noted already, or the table has been closed
  void track();

  /// Ends that.
  void untrack();

  Rows all();

  /// The rows that have changed since the last call of [#written], or of [#load].
  Rows changed();

  /// Begins to note changes anew: the present rows have been written.
  ///
  /// @param full whether all rows have been written, not only the changed ones
  void written(boolean full);

  /// Sets all rows, and what steps depend on.
  ///
  /// @throws IllegalStateException if the table has made steps; or if a file was cut off while it
  ///   was read, and the table has been closed
  /// @throws IllegalArgumentException if the contents are not those of such a table; it is still
  ///   empty
  /// @throws OutOfMemoryError if rows would exceed the limit of memory, or the system has too
  ///   little; the table is still empty
  void load(Contents contents);

  /// The known classes.
  ///
  /// Thread-safe.
  final class Offered {
    private static final Map<Class<?>, Function<Object, TableState>> ALL =
        new ConcurrentHashMap<>();

    private Offered() {}
  }

  /// Checks that the last steps of rows are numbers of steps, where rows have them.
  ///
  /// @throws IllegalArgumentException if one is not from 0 to `steps`
  static void requireSteps(Part part, long steps) {
    part.values()
        .forEach(
            (field, values) -> {
              if (field.operand() == TableMemory.STEPS) {
                requireSteps(part, values, steps);
              }
            });
  }

  private static void requireSteps(Part part, MemorySegment values, long steps) {
    for (long i = 0; i < part.count(); i++) {
      long step = values.getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, i);
      if (step < 0 || step > steps) {
        throw new IllegalArgumentException(
            "%s: the last step at index %s is %s, but must be from 0 to %s"
                .formatted(part.name(), i, step, steps));
      }
    }
  }
}
