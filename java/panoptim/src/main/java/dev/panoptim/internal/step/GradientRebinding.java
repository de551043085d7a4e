package dev.panoptim.internal.step;

import dev.panoptim.device.CudaException;
import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/// Rebinds plans of one optimizer to gradients that moved, for frameworks that allocate gradients
/// at each step. This takes much less time than new plans, and almost no heap memory.
///
/// Not thread-safe.
final class GradientRebinding {
  private final List<StepPlan> plans;
  private final List<StepPlan> more;

  /// What gradients must not overlap besides the operands of the plans; `null` if nothing.
  private final DataPlaces others;

  /// The start addresses of all operands but gradients, sorted; `null` until gradients first move.
  private long[] starts;

  /// Their end addresses, sorted. Operands may share memory, as directions do: if more operands
  /// start below the end of a gradient than end up to its start, one of them overlaps it.
  private long[] ends;

  /// The same of the gradients that are to be adopted.
  private long[] gradientStarts;

  private long[] gradientEnds;

  /// @param plans that [StepPlan#of] has made in one call
  GradientRebinding(List<StepPlan> plans) {
    this(plans, List.of(), null);
  }

  /// @param more plans with other operands that gradients must not overlap, and with gradients that
  ///   do not move
  /// @param others what gradients must not overlap either; `null` if there is nothing
  GradientRebinding(List<StepPlan> plans, List<StepPlan> more, DataPlaces others) {
    this.plans = List.copyOf(plans);
    this.more = List.copyOf(more);
    this.others = others;
  }

  /// Makes other memory the plans' gradients.
  ///
  /// @param gradients for each plan, in order, one for each of its rows
  /// @return whether it has been done. Otherwise nothing has changed, and new plans are needed;
  ///   they also report what is wrong, if something is. A gradient lies in another arena than the
  ///   one that it would replace, or [StepPlan#of] would refuse it
  /// @throws CudaException on a GPU, if CUDA does not say whose memory something is; nothing has
  ///   changed
  boolean moveTo(List<MemorySegment[]> gradients) {
    boolean moves = areAccepted(gradients) && areDisjoint();
    for (int i = 0; i < plans.size(); i++) {
      if (moves) {
        plans.get(i).adoptAcceptedGradients();
      } else {
        plans.get(i).dropAcceptedGradients();
      }
    }
    return moves;
  }

  private boolean areAccepted(List<MemorySegment[]> gradients) {
    if (gradients.size() != plans.size()) {
      return false;
    }
    for (int i = 0; i < plans.size(); i++) {
      if (!plans.get(i).acceptGradients(gradients.get(i))) {
        return false;
      }
    }
    return true;
  }

  /// With the gradients that the plans have accepted.
  private boolean areDisjoint() {
    if (starts == null) {
      survey();
    }
    int count = 0;
    for (int i = 0; i < plans.size(); i++) {
      StepPlan plan = plans.get(i);
      Rows rows = plan.rows();
      for (int row = 0; row < rows.count(); row++) {
        long bytes = rows.size(row) * Float.BYTES;
        if (bytes > 0) {
          gradientStarts[count] = plan.acceptedGradient(row).address();
          gradientEnds[count] = gradientStarts[count] + bytes;
          count++;
        }
      }
    }
    Arrays.sort(gradientStarts, 0, count);
    Arrays.sort(gradientEnds, 0, count);
    return TensorChecks.areDisjoint(gradientStarts, gradientEnds, count)
        && meetNoOther(count)
        && (others == null || others.areApart(gradientStarts, gradientEnds, count));
  }

  /// Whether the sorted gradients, which are disjoint, overlap no other operand.
  private boolean meetNoOther(int count) {
    int other = 0;
    for (int i = 0; i < count; i++) {
      while (other < ends.length && ends[other] <= gradientStarts[i]) {
        other++;
      }
      if (other < starts.length && starts[other] < gradientEnds[i]) {
        return false;
      }
    }
    return true;
  }

  private void survey() {
    LongStream.Builder from = LongStream.builder();
    LongStream.Builder to = LongStream.builder();
    int rows = 0;
    for (StepPlan plan : plans) {
      plan.rows().list().forEach(row -> addOperands(from, to, row));
      rows += plan.rows().count();
    }
    for (StepPlan plan : more) {
      plan.rows().list().forEach(row -> addOperands(from, to, row));
    }
    starts = from.build().sorted().toArray();
    ends = to.build().sorted().toArray();
    gradientStarts = new long[rows];
    gradientEnds = new long[rows];
  }

  /// Adds all operands except the gradient.
  private static void addOperands(LongStream.Builder from, LongStream.Builder to, Row row) {
    long bytes = row.size() * Float.BYTES;
    add(from, to, row.data(), bytes);
    row.states().forEach(state -> add(from, to, state, bytes));
    row.untouched().forEach(state -> add(from, to, state, state.byteSize()));
    add(from, to, row.average(), bytes);
    add(from, to, row.halfPrecisionCopy(), row.size() * Short.BYTES);
  }

  private static void add(
      LongStream.Builder from, LongStream.Builder to, MemorySegment stream, long bytes) {
    if (stream != null && bytes > 0) {
      from.add(stream.address());
      to.add(stream.address() + bytes);
    }
  }
}
