package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.panoptim.rows.IdTable;
import dev.panoptim.rows.RowIds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Steps of a table that grows from no id to many: how much longer than others does the longest one
/// take? All ids of the steps are new. The same steps are then made once more, over ids that have
/// rows.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class IdGrowthBenchmark {
  @Param("5000000")
  public int ids;

  /// Ids of a step.
  @Param("256")
  public int batch;

  /// Nanoseconds of steps while the table grows, and of the same steps afterwards.
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Steps {
    public double newMedian;
    public double newRare;
    public double newLongest;
    public double knownMedian;
    public double knownRare;
    public double knownLongest;

    /// The garbage collections of the whole iteration.
    public double collections;

    @Setup(Level.Iteration)
    public void reset() {
      newMedian = 0;
      newRare = 0;
      newLongest = 0;
      knownMedian = 0;
      knownRare = 0;
      knownLongest = 0;
      collections = 0;
    }
  }

  @Setup
  public void setUp() {
    AvailableMemory.require(RowsBenchmark.memory(BenchedRows.ADAGRAD, ids) / 2);
  }

  @Benchmark
  public void grow(Steps steps) {
    long before = collections();
    long[] times = new long[ids / batch];
    try (Arena arena = Arena.ofConfined();
        RowBatches data = new RowBatches(1, 1);
        IdTable table = RowTraining.idTable(BenchedRows.ADAGRAD, 1)) {
      MemorySegment gradients =
          data.gradients.asSlice(0, (long) batch * RowBatches.WIDTH * Float.BYTES);
      MemorySegment memory = arena.allocate(JAVA_LONG, batch);
      RowIds batchIds = RowIds.ofLongs(memory);
      time(table, batchIds, memory, gradients, times);
      steps.newMedian = quantile(times, 0.5);
      steps.newRare = quantile(times, 0.9999);
      steps.newLongest = quantile(times, 1);
      time(table, batchIds, memory, gradients, times);
      steps.knownMedian = quantile(times, 0.5);
      steps.knownRare = quantile(times, 0.9999);
      steps.knownLongest = quantile(times, 1);
      steps.collections = collections() - before;
      if (table.size() != (long) times.length * batch) {
        throw new IllegalStateException("the table has " + table.size() + " ids");
      }
    }
  }

  /// Makes steps over the ids from 0 on, and sorts their times.
  private static void time(
      IdTable table, RowIds ids, MemorySegment memory, MemorySegment gradients, long[] times) {
    long count = ids.count();
    for (int step = 0; step < times.length; step++) {
      for (long i = 0; i < count; i++) {
        memory.setAtIndex(JAVA_LONG, i, step * count + i);
      }
      long start = System.nanoTime();
      table.step(ids, gradients);
      times[step] = System.nanoTime() - start;
    }
    Arrays.sort(times);
  }

  private static double quantile(long[] sorted, double part) {
    return sorted[(int) Math.ceil(part * sorted.length) - 1];
  }

  private static long collections() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream()
        .mapToLong(each -> each.getCollectionCount())
        .sum();
  }
}
