package dev.panoptim.backend;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// Where the streams of plans lie that were made together, no two of which overlap. Some frameworks
/// have gradients elsewhere at each step: then only these are sorted, and compared with the rest.
final class Footprint {
  private final List<StepPlan> plans;

  /// Where all streams but gradients begin, and where they end, each in order; `null` until
  /// gradients first move.
  private long[] starts;

  private long[] ends;

  /// The same of gradients; what is behind [#gradients] is left over.
  private long[] gradientStarts;

  private long[] gradientEnds;
  private int gradients;

  Footprint(List<StepPlan> plans) {
    this.plans = plans;
  }

  List<StepPlan> plans() {
    return plans;
  }

  /// Whether the gradients that plans would have overlap no stream that stays, nor one another.
  boolean hasRoomForCandidates() {
    if (starts == null) {
      survey();
    }
    gradients = 0;
    for (int plan = 0; plan < plans.size(); plan++) {
      List<StepPlan.Row> rows = plans.get(plan).rows();
      for (int row = 0; row < rows.size(); row++) {
        long bytes = rows.get(row).size() * Float.BYTES;
        if (bytes > 0) {
          gradientStarts[gradients] = plans.get(plan).candidate(row).address();
          gradientEnds[gradients] = gradientStarts[gradients] + bytes;
          gradients++;
        }
      }
    }
    Arrays.sort(gradientStarts, 0, gradients);
    Arrays.sort(gradientEnds, 0, gradients);
    return isDisjoint();
  }

  /// Whether each stream ends before the next begins. Which end is whose does not matter: were
  /// there two streams at one place, more would have begun up to it than ended before it.
  private boolean isDisjoint() {
    int start = 0;
    int gradientStart = 0;
    int end = 0;
    int gradientEnd = 0;
    for (int i = 0; i < starts.length + gradients; i++) {
      boolean stays =
          gradientStart == gradients
              || start < starts.length && starts[start] <= gradientStarts[gradientStart];
      long next = stays ? starts[start++] : gradientStarts[gradientStart++];
      if (i == 0) {
        continue;
      }
      boolean stayed =
          gradientEnd == gradients || end < ends.length && ends[end] <= gradientEnds[gradientEnd];
      long before = stayed ? ends[end++] : gradientEnds[gradientEnd++];
      if (before > next) {
        return false;
      }
    }
    return true;
  }

  private void survey() {
    int rows = plans.stream().mapToInt(plan -> plan.rows().size()).sum();
    gradientStarts = new long[rows];
    gradientEnds = new long[rows];
    int most = plans.stream().mapToInt(Footprint::mostThatStay).sum();
    long[] from = new long[most];
    long[] to = new long[most];
    int found = 0;
    for (StepPlan plan : plans) {
      for (StepPlan.Row row : plan.rows()) {
        for (MemorySegment stream : row.floatsThatStay()) {
          found = add(stream, row.size() * Float.BYTES, from, to, found);
        }
        if (row.shadow() != null) {
          found = add(row.shadow(), row.size() * Short.BYTES, from, to, found);
        }
      }
    }
    starts = sorted(from, found);
    ends = sorted(to, found);
  }

  private static int mostThatStay(StepPlan plan) {
    return plan.rows().stream().mapToInt(row -> row.floatsThatStay().size() + 1).sum();
  }

  private static int add(MemorySegment stream, long bytes, long[] from, long[] to, int at) {
    if (bytes == 0) {
      return at;
    }
    from[at] = stream.address();
    to[at] = stream.address() + bytes;
    return at + 1;
  }

  private static long[] sorted(long[] numbers, int count) {
    long[] all = Arrays.copyOf(numbers, count);
    Arrays.sort(all);
    return all;
  }
}
