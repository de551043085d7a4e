package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.step.TableMemory;
import dev.panoptim.internal.table.DenseRows;
import dev.panoptim.rows.RowIds;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The native kernel that moves the bytes of steps over rows without their computation: a limit for
/// the time of a step. Its memory is as a table's.
final class RowTraffic implements AutoCloseable {
  private static final MethodHandle MOVE =
      BenchLibrary.find(
          "panoptim_traffic_rows",
          FunctionDescriptor.of(
              JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG,
              JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_INT));

  private final Arena arena = Arena.ofShared();
  final DenseRows table;
  private final MemorySegment gradients;
  private final int threads;
  private final MemorySegment starts;
  private final MemorySegment places;
  private final MemorySegment first;
  private final MemorySegment next;

  /// @throws OutOfMemoryError if the system has too little memory
  RowTraffic(BenchedRows optimizer, long rows, RowBatches data, int threads) {
    table =
        DenseRows.allocate(
            new DenseRows.Shape(rows, RowBatches.WIDTH, optimizer.states, optimizer.sums, false),
            Origin.here("the memory of RowTraffic"));
    gradients = data.gradients;
    this.threads = threads;
    int batches = data.batches.size();
    List<Long> allPlaces = new ArrayList<>();
    List<Integer> allFirst = new ArrayList<>();
    starts = arena.allocate(JAVA_LONG, batches + 1);
    next = arena.allocate(JAVA_INT, (long) batches * RowBatches.IDS);
    for (int i = 0; i < batches; i++) {
      group(data.batches.get(i), i, allPlaces, allFirst);
      starts.setAtIndex(JAVA_LONG, i + 1, allPlaces.size());
    }
    places = arena.allocateFrom(JAVA_LONG, allPlaces.stream().mapToLong(Long::longValue).toArray());
    first = arena.allocateFrom(JAVA_INT, allFirst.stream().mapToInt(Integer::intValue).toArray());
  }

  /// Finds the rows of a batch, and the gradients of each.
  private void group(RowIds ids, int batch, List<Long> allPlaces, List<Integer> allFirst) {
    Map<Long, Integer> last = new HashMap<>();
    for (int i = 0; i < ids.count(); i++) {
      next.setAtIndex(JAVA_INT, (long) batch * RowBatches.IDS + i, -1);
      Integer before = last.put(ids.get(i), i);
      if (before == null) {
        allPlaces.add(ids.get(i));
        allFirst.add(i);
      } else {
        next.setAtIndex(JAVA_INT, (long) batch * RowBatches.IDS + before, i);
      }
    }
  }

  /// The different rows of all batches, each batch for itself.
  long rows() {
    return first.byteSize() / Integer.BYTES;
  }

  /// Reads and writes the rows of batches, batch by batch.
  void move(int from, int to) {
    Downcall.run(
        () ->
            (int)
                MOVE.invokeExact(
                    operand(TableMemory.PARAMETER),
                    operand(TableMemory.STATE),
                    operand(TableMemory.STATE + 1),
                    operand(TableMemory.SUM),
                    (long) RowBatches.WIDTH,
                    gradients,
                    (long) RowBatches.IDS,
                    (long) (to - from),
                    starts.asSlice((long) from * Long.BYTES),
                    places,
                    first,
                    next.asSlice((long) from * RowBatches.IDS * Integer.BYTES),
                    threads));
  }

  private MemorySegment operand(int which) {
    MemorySegment operand = table.operand(which);
    return operand == null ? MemorySegment.NULL : operand;
  }

  @Override
  public void close() {
    table.close();
    arena.close();
  }
}
