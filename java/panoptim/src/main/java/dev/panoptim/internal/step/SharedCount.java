package dev.panoptim.internal.step;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/// The steps of a parameter that several processes update. The steps of all of them count.
final class SharedCount {
  static final long BYTES = 2 * Long.BYTES;

  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

  /// A long, and the bits of a double.
  private final MemorySegment memory;

  /// @param memory [#BYTES] of them
  SharedCount(MemorySegment memory) {
    this.memory = memory;
  }

  long steps() {
    return (long) LONG.getVolatile(memory, 0L);
  }

  double momentumProduct() {
    return Double.longBitsToDouble((long) LONG.getVolatile(memory, 8L));
  }

  void set(long steps, double momentumProduct) {
    LONG.setVolatile(memory, 8L, Double.doubleToRawLongBits(momentumProduct));
    LONG.setVolatile(memory, 0L, steps);
  }

  /// Adds a step, and its factor to the product of momenta.
  void advance(double before, double after) {
    double found;
    double wanted;
    do {
      found = momentumProduct();
      wanted = found == before || before == 0 ? after : found * (after / before);
    } while (!LONG.compareAndSet(
        memory, 8L, Double.doubleToRawLongBits(found), Double.doubleToRawLongBits(wanted)));
    long ignored = (long) LONG.getAndAdd(memory, 0L, 1L);
  }
}
