package dev.panoptim.internal.step;

import dev.panoptim.internal.matrix.NewtonSchulz;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.Workspaces;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The memory in which gradients of matrices become directions: a float for each element of all
/// matrices, and the workspace of [NewtonSchulz]. All plans of an optimizer share one: they are not
/// stepped at the same time.
///
/// Not thread-safe.
final class MatrixWorkspace {
  /// The most elements of several matrices that are iterated together: 4 MiB of floats, and four
  /// times as much workspace at most. One matrix alone may be larger. Threads share a larger matrix
  /// well by itself.
  private static final long MOST_TOGETHER = 1 << 20;

  private final Engine engine;
  private final int threads;
  private final SharedWorkspace memory;

  /// @param threads the most threads of a step, including the calling one
  /// @param origin the owner, for warnings
  MatrixWorkspace(Engine engine, int threads, Origin origin) {
    this.engine = engine;
    this.threads = threads;
    memory = new SharedWorkspace(origin);
  }

  /// The memory, allocated if there is none.
  ///
  /// @param groups all groups of the optimizer, whatever parameters have a gradient
  /// @throws OutOfMemoryError if the memory would exceed the limit, or the system has too little
  MemorySegment of(List<TrackedGroup> groups) {
    return memory.of(() -> bytes(groups));
  }

  private long bytes(List<TrackedGroup> groups) {
    long directions = 0;
    long most = 0;
    for (TrackedGroup group : groups) {
      if (group.rule().isOfMatrices()) {
        for (TrackedParameter each : group.parameters) {
          directions += Workspaces.aligned(each.bytes());
        }
        most = Math.max(most, iterationBytes(List.of(group.parameters)));
      }
    }
    return directions + most;
  }

  /// Divides the beginning of the memory.
  ///
  /// @param groups as for [#of]
  /// @param taken the bytes that other groups use, at the beginning
  /// @param slices receives the direction of each row
  /// @return the bytes that are used now
  long divide(
      List<TrackedGroup> groups,
      List<TrackedParameter> rows,
      long taken,
      List<MemorySegment> slices) {
    MemorySegment whole = of(groups);
    long end = taken;
    for (TrackedParameter each : rows) {
      slices.add(whole.asSlice(end, each.bytes()));
      end += Workspaces.aligned(each.bytes());
    }
    return end;
  }

  boolean isAllocated() {
    return memory.isAllocated();
  }

  /// The bytes that the iteration of any batch of a group needs at most.
  private long iterationBytes(List<TrackedParameter> matrices) {
    long most = 0;
    for (List<Integer> batch : batches(matrices)) {
      NewtonSchulz.Shape shape = shape(matrices, batch);
      most = Math.max(most, NewtonSchulz.workspaceBytes(engine.products(), shape, threads));
    }
    return most;
  }

  /// Divides matrices into batches of one shape. Matrices without elements are in none.
  ///
  /// @return indices of the matrices
  static List<List<Integer>> batches(List<TrackedParameter> matrices) {
    Map<List<Long>, List<Integer>> open = new LinkedHashMap<>();
    List<List<Integer>> batches = new ArrayList<>();
    for (int i = 0; i < matrices.size(); i++) {
      MatrixShape shape = MatrixShape.of(matrices.get(i).parameter);
      if (shape.elements() == 0) {
        continue;
      }
      List<Long> extents = List.of(shape.rows(), shape.columns());
      List<Integer> batch = open.get(extents);
      if (batch == null || (batch.size() + 1) * shape.elements() > MOST_TOGETHER) {
        batch = new ArrayList<>();
        open.put(extents, batch);
        batches.add(batch);
      }
      batch.add(i);
    }
    return batches;
  }

  static NewtonSchulz.Shape shape(List<TrackedParameter> matrices, List<Integer> batch) {
    MatrixShape shape = MatrixShape.of(matrices.get(batch.getFirst()).parameter);
    return new NewtonSchulz.Shape(batch.size(), shape.rows(), shape.columns());
  }

  /// Frees the memory; [#of] allocates it anew. No plan that used it is stepped again.
  void free() {
    memory.free();
  }
}
