package dev.panoptim.internal.jvm;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.internal.factored.FactoredCall;
import dev.panoptim.internal.parallel.WorkSplit;
import java.lang.foreign.MemorySegment;

/// Loops of factored second moments in plain Java, one element at a time.
final class ScalarFactored implements FactoredKernels {
  static final ScalarFactored INSTANCE = new ScalarFactored();

  private static final int LANES = WorkSplit.LANES;
  private static final int HALF = LANES / 2;

  private ScalarFactored() {}

  @Override
  public double sum(FactoredCall call, long start, int length) {
    return sum(call.matrix, call.scale, call.addend, start, start + length);
  }

  @Override
  public double squares(FactoredCall call, long start, int length) {
    return sum(call.result, 1, 0, start, start + length);
  }

  /// The sums of lanes are added in halves: lane k + 8 to lane k, then k + 4 to k, and so on. Two
  /// lanes at a distance of 8 are summed in one pass, so that no array of lanes is needed.
  private static double sum(MemorySegment x, float scale, double addend, long start, long end) {
    double a = pair(x, scale, addend, start, end) + pair(x, scale, addend, start + 4, end);
    double b = pair(x, scale, addend, start + 2, end) + pair(x, scale, addend, start + 6, end);
    double c = pair(x, scale, addend, start + 1, end) + pair(x, scale, addend, start + 5, end);
    double d = pair(x, scale, addend, start + 3, end) + pair(x, scale, addend, start + 7, end);
    return a + b + (c + d);
  }

  private static double pair(MemorySegment x, float scale, double addend, long first, long end) {
    double low = 0;
    double high = 0;
    long i = first;
    for (; i + HALF < end; i += LANES) {
      low += term(x, scale, addend, i);
      high += term(x, scale, addend, i + HALF);
    }
    if (i < end) {
      low += term(x, scale, addend, i);
    }
    return low + high;
  }

  /// The square of a float is exact in double.
  static double term(MemorySegment x, float scale, double addend, long i) {
    double scaled = scale * x.getAtIndex(JAVA_FLOAT, i);
    return scaled * scaled + addend;
  }

  @Override
  public double add(FactoredCall call, long start, int length, MemorySegment columns, long first) {
    for (int i = 0; i < length; i++) {
      double sum =
          columns.getAtIndex(JAVA_DOUBLE, first + i)
              + term(call.matrix, call.scale, call.addend, start + i);
      columns.setAtIndex(JAVA_DOUBLE, first + i, sum);
    }
    return sum(call, start, length);
  }

  @Override
  public void scale(FactoredCall call, float factor, long start, int length) {
    for (long i = start; i < start + length; i++) {
      float scaled = call.scale * call.matrix.getAtIndex(JAVA_FLOAT, i);
      call.result.setAtIndex(JAVA_FLOAT, i, canonical(scaled * factor));
    }
  }

  @Override
  public void scaleColumns(
      FactoredCall call, float row, long start, int length, MemorySegment columns, long first) {
    for (int i = 0; i < length; i++) {
      float scaled = call.scale * call.matrix.getAtIndex(JAVA_FLOAT, start + i);
      float factor = atMost(call.most, row * columns.getAtIndex(JAVA_FLOAT, first + i));
      call.result.setAtIndex(JAVA_FLOAT, start + i, canonical(scaled * factor));
    }
  }

  /// A NaN is returned unchanged.
  static float atMost(float most, float factor) {
    return factor > most ? most : factor;
  }

  @Override
  public void updateElements(FactoredCall call, long start, int length) {
    float addend = (float) call.addend;
    for (long i = start; i < start + length; i++) {
      float scaled = call.scale * call.matrix.getAtIndex(JAVA_FLOAT, i);
      float old = call.state.getAtIndex(JAVA_FLOAT, i);
      float square = Math.fma(scaled, scaled, addend);
      float moment = canonical(Math.fma(call.take, square - old, old));
      call.state.setAtIndex(JAVA_FLOAT, i, moment);
      float root = (float) Math.sqrt(Math.max(moment, call.least));
      call.result.setAtIndex(JAVA_FLOAT, i, canonical(scaled / root));
    }
  }

  private static float canonical(float x) {
    return Float.isNaN(x) ? Float.NaN : x;
  }
}
