package dev.panoptim.internal.step;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Makes the plans of groups, of the parameters that have a gradient now.
///
/// Not thread-safe.
final class PlanMaker {
  private final StateMemory memory;
  private final TrackedParameters parameters;
  private final MatrixWorkspace workspace;

  /// @param threads the most threads of a step, including the calling one
  PlanMaker(Engine engine, int threads, StateMemory memory, TrackedParameters parameters) {
    this.memory = memory;
    this.parameters = parameters;
    workspace = new MatrixWorkspace(engine, threads, memory.origin());
  }

  /// The plans of one group.
  ///
  /// @param plan has the gradients
  /// @param stage the second half of a step of matrices; `null` for other rules
  record Made(StepPlan plan, MatrixStage stage) {
    /// All plans.
    List<StepPlan> plans() {
      return stage == null ? List.of(plan) : List.of(plan, stage.update());
    }
  }

  /// Plans for each group. The gradients overlap no other operand.
  ///
  /// @throws IllegalArgumentException as [StepPlan#of]
  /// @throws OutOfMemoryError if the workspace of matrices would exceed the limit
  List<Made> make(List<GroupPlan> groups) {
    List<RowGroup> all = new ArrayList<>();
    // Of each group; empty for those that are not of matrices.
    List<List<MemorySegment>> directions = new ArrayList<>();
    long taken = 0;
    for (GroupPlan group : groups) {
      List<TrackedParameter> rows = Arrays.asList(group.withGradient());
      List<MemorySegment> slices = new ArrayList<>();
      directions.add(slices);
      if (group.rule().isOfMatrices()) {
        taken = divide(rows, taken, slices);
        addGroups(group, rows, slices, all);
      } else {
        RowFormat format = memory.format().rows(group.rule());
        all.add(new RowGroup(format, rows.stream().map(memory::row).toList()));
      }
    }
    List<StepPlan> plans = StepPlan.of(all);
    List<Made> made = new ArrayList<>();
    int next = 0;
    for (int i = 0; i < groups.size(); i++) {
      GroupPlan group = groups.get(i);
      StepPlan plan = plans.get(next++);
      MatrixStage stage = null;
      if (group.rule().isOfMatrices()) {
        List<TrackedParameter> rows = Arrays.asList(group.withGradient());
        MemorySegment rest = workspace.of(parameters.liveGroups()).asSlice(taken);
        stage =
            new MatrixStage(
                group.rule(), rows, plans.get(next++), directions.get(i), rest, workspace);
      }
      made.add(new Made(plan, stage));
    }
    return made;
  }

  /// Divides the workspace.
  ///
  /// @param taken the bytes that other groups use, at the beginning
  /// @param slices receives the direction of each row
  /// @return the bytes that are used now
  private long divide(List<TrackedParameter> rows, long taken, List<MemorySegment> slices) {
    MemorySegment whole = workspace.of(parameters.liveGroups());
    long end = taken;
    for (TrackedParameter each : rows) {
      slices.add(whole.asSlice(end, each.bytes()));
      end += MatrixWorkspace.aligned(each.bytes());
    }
    return end;
  }

  /// Adds the rows of both elementwise steps; see [MatrixStage].
  private void addGroups(
      GroupPlan group,
      List<TrackedParameter> rows,
      List<MemorySegment> slices,
      List<RowGroup> all) {
    List<Row> first = new ArrayList<>();
    List<Row> second = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Row row = memory.row(rows.get(i));
      first.add(row.towards(slices.get(i)));
      second.add(row.along(slices.get(i)));
    }
    MemoryFormat format = memory.format();
    RowFormat withoutCopies =
        new RowFormat(
            MatrixStage.directionRule(group.rule()),
            format.device(),
            format.stateDevice(),
            false,
            null);
    all.add(new RowGroup(withoutCopies, first));
    all.add(new RowGroup(format.rows(MatrixStage.updateRule(group.rule())), second, true));
  }

  /// Whether a plan of matrices has been made since the workspace was freed last.
  boolean hasWorkspace() {
    return workspace.isAllocated();
  }

  /// Frees the workspace. No plan of matrices that was made before is stepped again.
  void freeWorkspace() {
    workspace.free();
  }
}
