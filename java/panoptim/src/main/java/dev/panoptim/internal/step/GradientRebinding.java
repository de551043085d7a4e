package dev.panoptim.internal.step;

import dev.panoptim.device.CudaException;
import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/// Rebinds plans that were made together to gradients that moved, as of frameworks that allocate
/// gradients anew at each step. This costs little compared to new plans, and leaves next to nothing
/// to the garbage collector.
///
/// Not thread-safe.
final class GradientRebinding {
  private final List<StepPlan> plans;

  /// The start addresses of all operands but gradients, sorted; `null` until gradients first move.
  private long[] starts;

  /// Their end addresses, sorted.
  private long[] ends;

  /// The same of the gradients that are to be adopted.
  private long[] gradientStarts;

  private long[] gradientEnds;

  /// The same of both.
  private long[] allStarts;

  private long[] allEnds;

  /// @param plans that [StepPlan#of] has made in one call
  GradientRebinding(List<StepPlan> plans) {
    this.plans = List.copyOf(plans);
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
      Rows rows = plans.get(i).rows();
      for (int row = 0; row < rows.count(); row++) {
        long bytes = rows.get(row).size() * Float.BYTES;
        if (bytes > 0) {
          gradientStarts[count] = plans.get(i).acceptedGradient(row).address();
          gradientEnds[count] = gradientStarts[count] + bytes;
          count++;
        }
      }
    }
    merge(starts, gradientStarts, count, allStarts);
    merge(ends, gradientEnds, count, allEnds);
    return TensorChecks.areDisjoint(allStarts, allEnds, starts.length + count);
  }

  /// Sorts what has moved, which is less than all, and puts it between what has not.
  private static void merge(long[] sorted, long[] moved, int count, long[] into) {
    Arrays.sort(moved, 0, count);
    int next = 0;
    for (int i = 0, k = 0; k < sorted.length + count; k++) {
      boolean stays = next == count || i < sorted.length && sorted[i] <= moved[next];
      into[k] = stays ? sorted[i++] : moved[next++];
    }
  }

  private void survey() {
    LongStream.Builder from = LongStream.builder();
    LongStream.Builder to = LongStream.builder();
    int rows = 0;
    for (StepPlan plan : plans) {
      for (Row row : plan.rows().list()) {
        long bytes = row.size() * Float.BYTES;
        add(from, to, row.data(), bytes);
        row.states().forEach(state -> add(from, to, state, bytes));
        add(from, to, row.average(), bytes);
        add(from, to, row.halfPrecisionCopy(), row.size() * Short.BYTES);
        rows++;
      }
    }
    starts = from.build().sorted().toArray();
    ends = to.build().sorted().toArray();
    gradientStarts = new long[rows];
    gradientEnds = new long[rows];
    allStarts = new long[starts.length + rows];
    allEnds = new long[ends.length + rows];
  }

  private static void add(
      LongStream.Builder from, LongStream.Builder to, MemorySegment stream, long bytes) {
    if (stream != null && bytes > 0) {
      from.add(stream.address());
      to.add(stream.address() + bytes);
    }
  }
}
