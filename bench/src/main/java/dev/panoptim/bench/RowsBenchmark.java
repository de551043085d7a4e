package dev.panoptim.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Steps over batches of rows, in turn with a kernel that only moves the same bytes of other memory
/// with the same layout.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3)
@Measurement(iterations = 15)
public class RowsBenchmark {
  /// So many different batches that caches do not keep the rows of one until its next turn.
  private static final int BATCHES = 256;

  /// Batches of one side before it is the other's turn: a few milliseconds.
  private static final int TURN = 16;

  @Param({RowTraining.ROWS, RowTraining.IDS})
  public String table;

  @Param({"ADAGRAD", "ROW_WISE_ADAGRAD", "ADAM"})
  public BenchedRows optimizer;

  @Param("10000000")
  public long rows;

  @Param({"1", "2"})
  public int threads;

  int batches = BATCHES;

  private RowBatches data;
  private RowTraining training;
  private RowTraffic traffic;

  /// The bytes of memory that a benchmark needs.
  static long memory(BenchedRows optimizer, long rows) {
    long row = (1L + optimizer.states) * RowBatches.WIDTH * Float.BYTES;
    // The table and the memory that the kernel moves; ids and versions; the heap.
    return 2 * rows * (row + 64) + (1L << 30);
  }

  @Setup
  public void setUp() {
    AvailableMemory.require(memory(optimizer, rows));
    data = new RowBatches(rows, batches);
    training = RowTraining.of(table, optimizer, rows, threads);
    traffic = new RowTraffic(optimizer, rows, data, threads);
  }

  @Benchmark
  public void pair(Pair pair) {
    for (int i = 0; i < batches; i += TURN) {
      int from = i;
      int to = Math.min(batches, i + TURN);
      pair.stepNanos += Pair.time(1, () -> training.step(data, from, to)) / batches;
      pair.otherNanos += Pair.time(1, () -> traffic.move(from, to)) / batches;
    }
  }

  @TearDown
  public void tearDown() {
    traffic.close();
    training.close();
    data.close();
  }
}
