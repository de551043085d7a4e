package dev.panoptim.rows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/// Random batches: few ids are frequent, most are rare.
final class RowBatches {
  private static final float[] SPECIAL = {
    Float.NaN, Float.POSITIVE_INFINITY, Float.MIN_VALUE, -0.0f, 0, 1e30f, -1e-40f
  };

  final long[] ids;
  final MemorySegment gradients;
  private final SplittableRandom random;
  private final long rows;
  private final boolean special;

  /// Of a uniform number: 1 for rows that are all as frequent.
  private double power = 4;

  RowBatches(Arena arena, long seed, int count, long rows, int width, boolean special) {
    this.rows = rows;
    this.special = special;
    random = new SplittableRandom(seed);
    ids = new long[count];
    gradients = arena.allocate((long) count * width * Float.BYTES, Float.BYTES);
  }

  /// All ids are as frequent.
  RowBatches uniform() {
    power = 1;
    return this;
  }

  /// Fills ids and gradients with the next batch.
  RowBatches next() {
    for (int i = 0; i < ids.length; i++) {
      ids[i] = (long) (rows * Math.pow(random.nextDouble(), power));
    }
    for (long i = 0; i < gradients.byteSize() / Float.BYTES; i++) {
      float value =
          special && random.nextInt(200) == 0
              ? SPECIAL[random.nextInt(SPECIAL.length)]
              : (float) random.nextGaussian();
      gradients.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
    }
    return this;
  }

  RowIds rowIds() {
    return RowIds.of(ids);
  }
}
