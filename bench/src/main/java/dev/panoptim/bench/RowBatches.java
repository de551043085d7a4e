package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.panoptim.rows.RowIds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// Different batches of ids with Zipf's distribution, as in recommender systems: few ids are
/// frequent, most are rare. Frequent ids are spread over all rows. A batch has a gradient for each
/// of its ids, and all batches have the same gradients: a training has just written them, so they
/// are in cache.
final class RowBatches implements AutoCloseable {
  static final int IDS = 4096;

  /// Elements of a row.
  static final int WIDTH = 64;

  private static final double EXPONENT = 1.05;

  /// A prime number that does not divide the number of rows.
  private static final long SPREAD = 2_654_435_761L;

  private final Arena arena = Arena.ofShared();

  /// The ids of all batches, as longs.
  final MemorySegment all;

  final MemorySegment gradients;

  /// The batches.
  final List<RowIds> batches;

  RowBatches(long rows, int count) {
    all = arena.allocate(JAVA_LONG, (long) count * IDS);
    gradients = arena.allocate((long) IDS * WIDTH * Float.BYTES, 64);
    SplittableRandom random = new SplittableRandom(1);
    Zipf ranks = new Zipf(rows, EXPONENT);
    for (long i = 0; i < (long) count * IDS; i++) {
      all.setAtIndex(JAVA_LONG, i, ranks.next(random) * SPREAD % rows);
    }
    for (long i = 0; i < (long) IDS * WIDTH; i++) {
      gradients.setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(0.001, 0.01));
    }
    batches = IntStream.range(0, count).mapToObj(i -> RowIds.ofLongs(ids(i))).toList();
  }

  /// The ids of a batch.
  MemorySegment ids(int batch) {
    long bytes = (long) IDS * Long.BYTES;
    return all.asSlice(batch * bytes, bytes);
  }

  @Override
  public void close() {
    arena.close();
  }
}
