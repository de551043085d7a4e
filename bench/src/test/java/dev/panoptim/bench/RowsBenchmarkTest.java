package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.internal.step.TableMemory;
import dev.panoptim.rows.RowIds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The benchmarks of rows time correct computations.
class RowsBenchmarkTest {
  private static final long ROWS = 3000;

  /// The kernel flips the last bit of each element of each row of a batch, and of no other.
  @ParameterizedTest
  @EnumSource
  void theTrafficKernelMovesEachRowOfABatchOnce(BenchedRows optimizer) {
    for (int threads = 1; threads <= 2; threads++) {
      try (RowBatches data = new RowBatches(ROWS, 3);
          RowTraffic traffic = new RowTraffic(optimizer, ROWS, data, threads)) {
        int[] moves = new int[(int) ROWS];
        long rows = 0;
        for (RowIds batch : data.batches) {
          boolean[] isIn = new boolean[(int) ROWS];
          for (int i = 0; i < batch.count(); i++) {
            rows += isIn[(int) batch.get(i)] ? 0 : 1;
            isIn[(int) batch.get(i)] = true;
          }
          for (int i = 0; i < ROWS; i++) {
            moves[i] += isIn[i] ? 1 : 0;
          }
        }
        assertEquals(rows, traffic.rows());
        traffic.move(0, 1);
        traffic.move(1, 3);
        for (int operand : new int[] {0, 1, 2, TableMemory.SUM}) {
          MemorySegment memory = traffic.table.operand(operand);
          if (memory != null) {
            long width = memory.byteSize() / Integer.BYTES / ROWS;
            for (long i = 0; i < ROWS * width; i++) {
              assertEquals(moves[(int) (i / width)] & 1, memory.getAtIndex(JAVA_INT, i));
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void bothKindsOfTablesReachTheSameBits(BenchedRows optimizer) {
    try (Arena arena = Arena.ofConfined();
        RowBatches data = new RowBatches(ROWS, 3);
        RowTraining rows = RowTraining.of(RowTraining.ROWS, optimizer, ROWS, 1);
        RowTraining ids = RowTraining.of(RowTraining.IDS, optimizer, ROWS, 2)) {
      MemorySegment ofRows = arena.allocate(data.gradients.byteSize());
      MemorySegment ofIds = arena.allocate(data.gradients.byteSize());
      // Adam's step depends on the number of steps, and a table by ids has made some to add them.
      if (optimizer != BenchedRows.ADAM) {
        rows.step(data, 0, 3);
        ids.step(data, 0, 3);
      }
      rows.gather(data.batches.get(1), ofRows);
      ids.gather(data.batches.get(1), ofIds);
      assertEquals(-1, ofRows.mismatch(ofIds));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {RowTraining.ROWS, RowTraining.IDS})
  void stepsAndTrafficAreTimed(String table) {
    RowsBenchmark benchmark = new RowsBenchmark();
    benchmark.table = table;
    benchmark.optimizer = BenchedRows.ADAGRAD;
    benchmark.rows = ROWS;
    benchmark.threads = 2;
    benchmark.batches = 2;
    benchmark.setUp();
    Pair pair = new Pair();
    benchmark.pair(pair);
    BenchmarksTest.requireTimed(pair);
    benchmark.tearDown();
  }

  @Test
  void aBenchmarkThatNeedsMoreMemoryThanThereIsFails() {
    var e =
        assertThrows(
            IllegalStateException.class, () -> AvailableMemory.require(Long.MAX_VALUE - 1));
    assertTrue(e.getMessage().contains("but the benchmark needs 8589934592.0"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {IdReadBenchmark.READ, IdReadBenchmark.GATHER})
  void readsAreTimed(String call) throws InterruptedException {
    IdReadBenchmark benchmark = new IdReadBenchmark();
    benchmark.call = call;
    benchmark.ids = ROWS;
    benchmark.batches = 2;
    benchmark.setUp();
    Pair pair = new Pair();
    benchmark.pair(pair);
    BenchmarksTest.requireTimed(pair);
    benchmark.tearDown();
  }

  @Test
  void stepsOfAGrowingTableAreTimed() {
    IdGrowthBenchmark benchmark = new IdGrowthBenchmark();
    benchmark.ids = 1000;
    benchmark.batch = 10;
    benchmark.setUp();
    IdGrowthBenchmark.Steps steps = new IdGrowthBenchmark.Steps();
    benchmark.grow(steps);
    assertTrue(0 < steps.newMedian && steps.newMedian <= steps.newRare);
    assertTrue(steps.newRare <= steps.newLongest);
    assertTrue(0 < steps.knownMedian && steps.knownMedian <= steps.knownLongest);
  }

  /// `setUp` compares the results. Peers that are not there are not tested.
  @ParameterizedTest
  @EnumSource
  void peersReachTheSameRows(RowPeer peer) throws Exception {
    for (BenchedRows optimizer : BenchedRows.values()) {
      if (peer.available() && peer.has(optimizer)) {
        RowPeerBenchmark benchmark = new RowPeerBenchmark();
        benchmark.peer = peer;
        benchmark.optimizer = optimizer;
        benchmark.rows = ROWS;
        benchmark.threads = 1;
        benchmark.batches = 3;
        benchmark.setUp();
        Pair pair = new Pair();
        benchmark.pair(pair);
        BenchmarksTest.requireTimed(pair);
        benchmark.tearDown();
      }
    }
  }

  /// Compared with the probabilities themselves, for 20 ranks.
  @Test
  void ranksHaveZipfsDistribution() {
    int ranks = 20;
    double[] expected = new double[ranks + 1];
    for (int k = 1; k <= ranks; k++) {
      expected[k] = Math.pow(k, -1.05);
    }
    double all = Arrays.stream(expected).sum();
    Zipf zipf = new Zipf(ranks, 1.05);
    SplittableRandom random = new SplittableRandom(7);
    int draws = 1_000_000;
    int[] found = new int[ranks + 1];
    for (int i = 0; i < draws; i++) {
      found[(int) zipf.next(random)]++;
    }
    for (int k = 1; k <= ranks; k++) {
      assertEquals(expected[k] / all, found[k] / (double) draws, 0.002);
    }
  }
}
