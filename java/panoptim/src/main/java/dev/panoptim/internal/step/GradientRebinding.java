package dev.panoptim.internal.step;

import dev.panoptim.device.CudaException;
import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/// The gradients of plans that were made together, no two streams of which overlap: for gradients
/// that lie elsewhere at each step, as of frameworks that free them in between. To tell the plans
/// costs little beside making new ones, and leaves next to nothing to the garbage collector.
///
/// Not thread-safe.
public final class GradientRebinding {
  private final List<StepPlan> plans;

  /// Where all streams begin that are no gradients, in order; `null` until gradients first move.
  private long[] starts;

  /// Where they end, in order.
  private long[] ends;

  /// The same of the gradients, where they would be.
  private long[] gradientStarts;

  private long[] gradientEnds;

  /// The same of both.
  private long[] allStarts;

  private long[] allEnds;

  /// @param plans that [StepPlan#of] has made in one call
  public GradientRebinding(List<StepPlan> plans) {
    this.plans = List.copyOf(plans);
  }

  /// Makes other memory the plans' gradients.
  ///
  /// @param gradients for each plan, in order, one for each of its rows
  /// @return whether it has been done. Otherwise nothing has changed, and it takes new plans, which
  ///   also say what is wrong if something is: some gradient lies in another arena than the one
  ///   whose place it would take, or [StepPlan#of] would refuse it
  /// @throws CudaException on a GPU, if CUDA does not say whose memory something is; nothing has
  ///   changed
  public boolean moveTo(List<MemorySegment[]> gradients) {
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
