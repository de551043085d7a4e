package dev.panoptim.internal.step;

import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.Workspaces;
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
  /// The most bytes of the directions of several parameters that are stepped together. A larger
  /// parameter is stepped alone.
  private static final long MOST_TOGETHER = 4 << 20;

  private final SharedWorkspace memory;

  /// @param origin the owner, for warnings
  FactoredWorkspace(Origin origin) {
    memory = new SharedWorkspace(origin);
  }

  /// Divides parameters of a group into batches, in order. A group with a large parameter needs no
  /// more memory than that one.
  static List<TrackedParameter[]> batches(TrackedParameter[] parameters) {
    List<TrackedParameter[]> batches = new ArrayList<>();
    int from = 0;
    long bytes = 0;
    for (int i = 0; i < parameters.length; i++) {
      long more = directionBytes(parameters[i]);
      if (i > from && more > MOST_TOGETHER - bytes) {
        batches.add(Arrays.copyOfRange(parameters, from, i));
        from = i;
        bytes = 0;
      }
      bytes += more;
    }
    batches.add(Arrays.copyOfRange(parameters, from, parameters.length));
    return batches;
  }

  /// The directions of some parameters of a batch.
  ///
  /// @param groups all groups of the optimizer, whatever parameters have a gradient
  /// @throws OutOfMemoryError if the memory would exceed the limit, or the system has too little
  List<MemorySegment> directions(List<TrackedGroup> groups, List<TrackedParameter> rows) {
    MemorySegment all = of(groups).asSlice(0, directionBytes(groups));
    List<MemorySegment> slices = new ArrayList<>();
    long end = 0;
    for (TrackedParameter each : rows) {
      slices.add(all.asSlice(end, each.bytes()));
      end += directionBytes(each);
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

  /// Of the largest batch that any choice of parameters of a group, in any order, can have.
  private static long directionBytes(List<TrackedGroup> groups) {
    long most = 0;
    for (TrackedGroup group : groups) {
      if (group.rule().isFactored()) {
        long largest = 0;
        long all = 0;
        for (TrackedParameter each : group.parameters) {
          largest = Math.max(largest, directionBytes(each));
          all += directionBytes(each);
        }
        most = Math.max(most, Math.max(largest, Math.min(all, MOST_TOGETHER)));
      }
    }
    return most;
  }

  private static long directionBytes(TrackedParameter parameter) {
    return Workspaces.aligned(parameter.bytes());
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
