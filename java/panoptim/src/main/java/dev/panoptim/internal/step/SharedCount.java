package dev.panoptim.internal.step;

import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.List;

/// The steps and scalars of a parameter that several processes update. The steps of all of them
/// count.
///
/// Thread-safe.
final class SharedCount {
  static final long BYTES = (1 + Coefficients.MOST_SCALARS) * (long) Long.BYTES;

  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

  /// A long, and the bits of the doubles.
  private final MemorySegment memory;

  /// The place of the product among the scalars; negative if there is none.
  private final int product;

  /// @param memory [#BYTES] of them
  /// @param scalarNames of the parameter's rule
  SharedCount(MemorySegment memory, List<String> scalarNames) {
    this.memory = memory;
    product = scalarNames.indexOf(Rule.MOMENTUM_PRODUCT);
  }

  long steps() {
    return (long) LONG.getVolatile(memory, 0L);
  }

  /// @param into is filled; as long as the names
  void readScalars(double[] into) {
    for (int i = 0; i < into.length; i++) {
      into[i] = scalar(i);
    }
  }

  private double scalar(int i) {
    return Double.longBitsToDouble((long) LONG.getVolatile(memory, place(i)));
  }

  private static long place(int scalar) {
    return (1 + scalar) * (long) Long.BYTES;
  }

  void setScalar(int i, double value) {
    LONG.setVolatile(memory, place(i), Double.doubleToRawLongBits(value));
  }

  void set(long steps, double[] scalars) {
    for (int i = 0; i < scalars.length; i++) {
      setScalar(i, scalars[i]);
    }
    LONG.setVolatile(memory, 0L, steps);
  }

  /// Adds a step, and its factor to the product. Of all other scalars, the value of the last writer
  /// stays.
  void advance(double[] before, double[] after) {
    for (int i = 0; i < after.length; i++) {
      if (i == product) {
        multiply(i, before[i], after[i]);
      } else {
        setScalar(i, after[i]);
      }
    }
    long ignored = (long) LONG.getAndAdd(memory, 0L, 1L);
  }

  private void multiply(int i, double before, double after) {
    double found;
    double wanted;
    do {
      found = scalar(i);
      wanted = found == before || before == 0 ? after : found * (after / before);
    } while (!LONG.compareAndSet(
        memory, place(i), Double.doubleToRawLongBits(found), Double.doubleToRawLongBits(wanted)));
  }
}
