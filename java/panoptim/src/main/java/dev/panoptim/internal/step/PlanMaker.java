package dev.panoptim.internal.step;

import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Makes the plans of groups, of the parameters that have a gradient now.
///
/// Not thread-safe.
final class PlanMaker {
  private final Engine engine;
  private final int threads;
  private final StateMemory memory;
  private final TrackedParameters parameters;
  private final MatrixWorkspace ofMatrices;
  private final FactoredWorkspace factored;

  /// @param threads the most threads of a step, including the calling one
  PlanMaker(Engine engine, int threads, StateMemory memory, TrackedParameters parameters) {
    this.engine = engine;
    this.threads = threads;
    this.memory = memory;
    this.parameters = parameters;
    ofMatrices = new MatrixWorkspace(engine, threads, memory.origin());
    factored = new FactoredWorkspace(memory.origin());
  }

  /// The plans of one group.
  ///
  /// @param plan has the gradients
  /// @param stage the second half of the step; `null` for rules of one elementwise step
  record Made(StepPlan plan, Stage stage) {
    /// All plans.
    List<StepPlan> plans() {
      return PlanMaker.plans(plan, stage);
    }
  }

  /// A plan and those of a stage, if there is one.
  static List<StepPlan> plans(StepPlan plan, Stage stage) {
    List<StepPlan> all = new ArrayList<>(List.of(plan));
    if (stage != null) {
      all.addAll(stage.plans());
    }
    return all;
  }

  /// Plans for each group. The gradients overlap no other operand.
  ///
  /// @throws IllegalArgumentException as [StepPlan#of]
  /// @throws OutOfMemoryError if the workspace of stages would exceed the limit
  List<Made> make(List<GroupPlan> groups) {
    List<RowGroup> all = new ArrayList<>();
    // Of each group; empty for those without a stage.
    List<List<MemorySegment>> directions = new ArrayList<>();
    long taken = 0;
    for (GroupPlan group : groups) {
      List<TrackedParameter> rows = Arrays.asList(group.withGradient());
      List<MemorySegment> slices = new ArrayList<>();
      directions.add(slices);
      if (group.rule().isOfMatrices()) {
        taken = ofMatrices.divide(parameters.liveGroups(), rows, taken, slices);
        addMatrices(group.rule(), rows, slices, all);
      } else if (group.rule().isFactored()) {
        slices.addAll(factored.directions(parameters.liveGroups(), rows));
        addFactored(group.rule(), rows, slices, all);
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
      Stage stage = null;
      if (group.rule().needsCpu()) {
        stage = stage(group, plans.get(next++), directions.get(i), taken);
      }
      made.add(new Made(plan, stage));
    }
    return made;
  }

  /// @param taken the bytes of the directions of all matrices
  private Stage stage(
      GroupPlan group, StepPlan update, List<MemorySegment> directions, long taken) {
    List<TrackedGroup> groups = parameters.liveGroups();
    List<TrackedParameter> rows = Arrays.asList(group.withGradient());
    if (group.rule().isOfMatrices()) {
      MemorySegment rest = ofMatrices.of(groups).asSlice(taken);
      return new MatrixStage(group.rule(), rows, update, directions, rest, engine, threads);
    }
    List<Row> states = rows.stream().map(memory::row).toList();
    return new FactoredStage(
        group.rule(), states, update, directions, factored.sums(groups), engine, threads);
  }

  /// Adds the rows of both elementwise steps; see [MatrixStage].
  private void addMatrices(
      Rule rule, List<TrackedParameter> rows, List<MemorySegment> slices, List<RowGroup> all) {
    List<Row> first = new ArrayList<>();
    List<Row> last = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Row row = memory.row(rows.get(i));
      first.add(row.towards(slices.get(i), row.states(), List.of()));
      last.add(row.along(slices.get(i), List.of()));
    }
    all.add(new RowGroup(withoutCopies(MatrixStage.directionRule(rule)), first));
    all.add(new RowGroup(memory.format().rows(MatrixStage.updateRule(rule)), last, false, true));
  }

  /// Adds the rows of both elementwise steps; see [FactoredStage].
  private void addFactored(
      Rule rule, List<TrackedParameter> rows, List<MemorySegment> slices, List<RowGroup> all) {
    // The first moment is the first state, and the only one that the last step uses.
    int used = rule.hasFirstMoment() ? 1 : 0;
    List<Row> first = new ArrayList<>();
    List<Row> last = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Row row = memory.row(rows.get(i));
      List<MemorySegment> states = row.states();
      first.add(row.towards(slices.get(i), List.of(), states.subList(used, states.size())));
      last.add(row.along(slices.get(i), states.subList(0, used)));
    }
    all.add(new RowGroup(withoutCopies(FactoredStage.gradientRule(rule)), first, true, false));
    all.add(new RowGroup(memory.format().rows(FactoredStage.updateRule(rule)), last, false, true));
  }

  /// The format of rows that write directions.
  private RowFormat withoutCopies(Rule rule) {
    MemoryFormat format = memory.format();
    return new RowFormat(rule, format.device(), format.stateDevice(), false, null);
  }

  /// Whether a plan with a stage has been made since the workspaces were freed last.
  boolean hasWorkspace() {
    return ofMatrices.isAllocated() || factored.isAllocated();
  }

  /// Frees the workspaces. No plan with a stage that was made before is stepped again.
  void freeWorkspace() {
    ofMatrices.free();
    factored.free();
  }
}
