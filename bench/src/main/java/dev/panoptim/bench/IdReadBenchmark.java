package dev.panoptim.bench;

import dev.panoptim.rows.IdTable;
import dev.panoptim.rows.RowIds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// Look-ups of rows in one thread while another one learns, in turn with look-ups alone.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class IdReadBenchmark {
  public static final String READ = "read";
  public static final String GATHER = "gather";

  private static final int BATCHES = 256;

  /// Look-ups by one call for each id, or by one for a batch.
  @Param({READ, GATHER})
  public String call;

  @Param({"1000000", "10000000"})
  public long ids;

  int batches = BATCHES;

  private final Arena arena = Arena.ofShared();
  private RowBatches data;
  private IdTable table;
  private MemorySegment target;

  @Setup
  public void setUp() {
    AvailableMemory.require(RowsBenchmark.memory(BenchedRows.ADAGRAD, ids) / 2);
    data = new RowBatches(ids, batches);
    table = RowTraining.idTable(BenchedRows.ADAGRAD, 1);
    RowTraining.addIds(table, ids);
    target = arena.allocate(data.gradients.byteSize(), 64);
  }

  @Benchmark
  public void pair(Pair pair) throws InterruptedException {
    AtomicBoolean stop = new AtomicBoolean();
    Thread learner =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (true) {
                    for (RowIds each : data.batches) {
                      if (stop.get()) {
                        return;
                      }
                      table.step(each, data.gradients);
                    }
                  }
                });
    try {
      pair.stepNanos += lookUp();
    } finally {
      stop.set(true);
      learner.join();
    }
    pair.otherNanos += lookUp();
  }

  /// @return nanoseconds of a look-up
  private double lookUp() {
    return Pair.time(1, this::lookUpAll) / ((double) batches * RowBatches.IDS);
  }

  private void lookUpAll() {
    for (RowIds each : data.batches) {
      if (call.equals(GATHER)) {
        table.gather(each, target);
      } else {
        MemorySegment row = target.asSlice(0, (long) RowBatches.WIDTH * Float.BYTES);
        for (int i = 0; i < each.count(); i++) {
          table.read(each.get(i), row);
        }
      }
    }
  }

  @TearDown
  public void tearDown() {
    table.close();
    data.close();
    arena.close();
  }
}
