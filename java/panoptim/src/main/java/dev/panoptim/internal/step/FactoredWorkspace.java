package dev.panoptim.internal.step;

import dev.panoptim.internal.factored.FactoredShape;
import dev.panoptim.internal.memory.Origin;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The memory in which gradients become directions under factored second moments: a float for each
/// element of the largest batch of parameters, and the workspace of the sums. All plans of an
/// optimizer share one: they are not stepped at the same time.
///
/// Not thread-safe.
final class FactoredWorkspace {
  /// The most elements of several parameters that are stepped together: 4 MiB of floats. A larger
  /// parameter is stepped alone.
  private static final long MOST_TOGETHER = 1 << 20;

  private final Engine engine;
  private final int threads;
  private final SharedWorkspace memory;

  /// @param threads the most threads of a step, including the calling one
  /// @param origin the owner, for warnings
  FactoredWorkspace(Engine engine, int threads, Origin origin) {
    this.engine = engine;
    this.threads = threads;
    memory = new SharedWorkspace(origin, FactoredShape.ALIGNMENT);
  }

  Engine engine() {
    return engine;
  }

  int threads() {
    return threads;
  }

  /// Divides parameters of a group into batches, in order. A group with a large parameter needs no
  /// more memory than that one.
  static List<TrackedParameter[]> batches(TrackedParameter[] parameters) {
    List<TrackedParameter[]> batches = new ArrayList<>();
    int from = 0;
    long elements = 0;
    for (int i = 0; i < parameters.length; i++) {
      long size = parameters[i].parameter.size();
      if (i > from && size > MOST_TOGETHER - elements) {
        batches.add(Arrays.copyOfRange(parameters, from, i));
        from = i;
        elements = 0;
      }
      elements += size;
    }
    batches.add(Arrays.copyOfRange(parameters, from, parameters.length));
    return batches;
  }

  /// The directions of some parameters of a batch.
  ///
  /// @param groups all groups of the optimizer, whatever parameters have a gradient
  /// @throws OutOfMemoryError if the memory would exceed the limit, or the system has too little
  List<MemorySegment> directions(List<TrackedGroup> groups, List<TrackedParameter> rows) {
    MemorySegment whole = of(groups);
    List<MemorySegment> slices = new ArrayList<>();
    long end = 0;
    for (TrackedParameter each : rows) {
      slices.add(whole.asSlice(end, each.bytes()));
      end += memory.aligned(each.bytes());
    }
    return slices;
  }

  /// The workspace of the sums, which no directions use.
  ///
  /// @param groups as for [#directions]
  MemorySegment sums(List<TrackedGroup> groups) {
    return of(groups).asSlice(directionBytes(groups));
  }

  private MemorySegment of(List<TrackedGroup> groups) {
    return memory.of(() -> directionBytes(groups) + sumBytes(groups));
  }

  /// Of the largest batch.
  private long directionBytes(List<TrackedGroup> groups) {
    long most = 0;
    for (TrackedGroup group : groups) {
      if (group.rule().isFactored()) {
        for (TrackedParameter[] batch : batches(group.parameters)) {
          long bytes = 0;
          for (TrackedParameter each : batch) {
            bytes += memory.aligned(each.bytes());
          }
          most = Math.max(most, bytes);
        }
      }
    }
    return most;
  }

  private static long sumBytes(List<TrackedGroup> groups) {
    long most = 0;
    for (TrackedGroup group : groups) {
      if (group.rule().isFactored()) {
        for (TrackedParameter each : group.parameters) {
          most = Math.max(most, FactoredRow.shape(each.parameter.shape()).workspaceBytes());
        }
      }
    }
    return most;
  }

  boolean isAllocated() {
    return memory.isAllocated();
  }

  /// Frees the memory; [#directions] allocates it anew. No plan that used it is stepped again.
  void free() {
    memory.free();
  }
}
