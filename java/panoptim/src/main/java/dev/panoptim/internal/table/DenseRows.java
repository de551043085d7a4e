package dev.panoptim.internal.table;

import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.memory.SystemMemory;
import dev.panoptim.internal.step.TableMemory;
import dev.panoptim.internal.tensor.SharedFile;
import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/// The memory of a table with a fixed number of rows: an array for each operand, in one block that
/// may be a file.
///
/// Thread-safe for look-ups.
public final class DenseRows implements TableMemory, AutoCloseable {
  /// The number of steps while a checkpoint is loaded: rows that lie in a file must not be used if
  /// that ended in the middle.
  public static final long INCOMPLETE = -1;

  private final long rows;
  private final int width;
  private final OwnedArena arena;
  private final MemorySegment[] operands = new MemorySegment[OPERANDS];
  private final long[] strides = new long[OPERANDS];
  private final long[] starts = new long[OPERANDS];

  /// The number of steps, in the block so that a file has it too.
  private MemorySegment count;

  private long bytes;

  /// The operands of a table.
  ///
  /// @param states the number of states
  /// @param sums whether rows have a sum
  /// @param steps whether rows have the number of their last step
  public record Shape(long rows, int width, int states, boolean sums, boolean steps) {
    /// @throws IllegalArgumentException if a number is too small, or the table too large
    public Shape {
      if (rows < 1 || width < 1) {
        throw new IllegalArgumentException(
            "rows is %s and width %s, but both must be 1 or more".formatted(rows, width));
      }
      if (rows > Long.MAX_VALUE / width) {
        throw new IllegalArgumentException(
            "%s rows of width %s have more than 2^63-1 elements".formatted(rows, width));
      }
      TensorChecks.bytes("a table", rows * width);
      if (rows * width > (Long.MAX_VALUE >> 6)) {
        throw new IllegalArgumentException(
            "%s rows of width %s do not fit into memory".formatted(rows, width));
      }
    }
  }

  private DenseRows(Shape shape, Origin origin) {
    rows = shape.rows();
    width = shape.width();
    arena = OwnedArena.of(MemoryKind.PARAMETERS, origin);
    long rowBytes = (long) width * Float.BYTES;
    place(PARAMETER, rowBytes);
    for (int i = 0; i < shape.states(); i++) {
      place(STATE + i, rowBytes);
    }
    if (shape.sums()) {
      place(SUM, Float.BYTES);
    }
    if (shape.steps()) {
      place(STEPS, Long.BYTES);
    }
  }

  private void place(int operand, long stride) {
    strides[operand] = stride;
    starts[operand] = bytes;
    // Each operand begins with a page.
    bytes = Math.ceilDiv(bytes + rows * stride, SystemMemory.SMALL) * SystemMemory.SMALL;
  }

  /// Allocates zeroed rows.
  ///
  /// @throws OutOfMemoryError if the system has too little memory, or the memory would exceed the
  ///   limit
  public static DenseRows allocate(Shape shape, Origin origin) {
    DenseRows made = new DenseRows(shape, origin);
    made.adopt(made.arena.allocate(made.bytes + Long.BYTES, SystemMemory.SMALL));
    return made;
  }

  /// Maps rows in a file; see [SharedFile#map].
  ///
  /// @param description of the table, which must be the one that created the file
  /// @param initialise is called in the process that creates the file, before it can be mapped by
  ///   another one
  public static DenseRows map(
      Shape shape, Origin origin, Path file, String description, Initialiser initialise) {
    DenseRows made = new DenseRows(shape, origin);
    try {
      SharedFile.map(
          made.arena,
          file,
          description,
          made.bytes + Long.BYTES,
          (memory, fresh) -> {
            made.adopt(memory);
            if (fresh) {
              initialise.initialise(made);
            }
          });
      return made;
    } catch (Throwable e) {
      made.close();
      throw e;
    }
  }

  /// Sets the first values of rows.
  public interface Initialiser {
    void initialise(DenseRows rows);
  }

  private void adopt(MemorySegment memory) {
    for (int i = 0; i < OPERANDS; i++) {
      if (strides[i] > 0) {
        operands[i] = memory.asSlice(starts[i], rows * strides[i]);
      }
    }
    count = memory.asSlice(bytes, Long.BYTES);
  }

  /// The whole array of an operand.
  public MemorySegment operand(int operand) {
    return operands[operand];
  }

  public long rows() {
    return rows;
  }

  /// The number of steps that the rows have made.
  public long steps() {
    return count.get(ValueLayout.JAVA_LONG, 0);
  }

  public void steps(long value) {
    count.set(ValueLayout.JAVA_LONG, 0, value);
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public MemorySegment segment(int operand, long row) {
    return operands[operand];
  }

  @Override
  public long offset(int operand, long row) {
    return row * strides[operand];
  }

  @Override
  public long base(int operand) {
    return operands[operand] == null ? 0 : operands[operand].address();
  }

  @Override
  public long stride(int operand) {
    return strides[operand];
  }

  @Override
  public long place(long row) {
    return row;
  }

  @Override
  public MemorySegment arena() {
    return count;
  }

  /// Frees the memory, or ends the mapping. Closing twice has no effect.
  ///
  /// @throws IllegalStateException if a step is using the memory
  @Override
  public void close() {
    arena.close();
  }
}
