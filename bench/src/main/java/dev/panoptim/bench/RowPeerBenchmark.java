package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.rows.RowTable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
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

/// Steps of a [RowTable], in turn with another implementation's steps over the same batches.
/// Results are compared before the timing.
///
/// A step of the others begins with the ids and their gradients, as a step of the table does: the
/// backward pass of an embedding only puts both into a sparse tensor.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class RowPeerBenchmark {
  private static final int BATCHES = 64;

  /// OpenMP's threads spin for some time after their work.
  private static final long PAUSE_MILLIS = 30;

  /// Relative to the distance that an element has moved; and absolute, for rounding to a float.
  private static final double TOLERANCE = 1e-3;

  private static final double ROUNDINGS = 1e-6;

  @Param public RowPeer peer;

  @Param({"ADAGRAD", "ADAM"})
  public BenchedRows optimizer;

  @Param("1000000")
  public long rows;

  /// Of both sides.
  @Param({"1", "2"})
  public int threads;

  int batches = BATCHES;

  private RowBatches data;
  private RowTable table;
  private RowPeer.Training training;

  @Setup
  public void setUp() throws IOException {
    data = new RowBatches(rows, batches);
    table = RowTraining.rowTable(optimizer, rows, threads);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment start = arena.allocate(table.data().byteSize());
      start.copyFrom(table.data());
      training = peer.train(optimizer, start, data, threads);
      steps();
      training.steps(batches);
      requireSame(start, training.data(arena));
    } catch (Throwable e) {
      tearDown();
      throw e;
    }
  }

  private void requireSame(MemorySegment start, MemorySegment theirs) {
    long changed = 0;
    for (long i = 0; i < start.byteSize() / Float.BYTES; i++) {
      float first = start.getAtIndex(JAVA_FLOAT, i);
      float ours = table.data().getAtIndex(JAVA_FLOAT, i);
      float other = theirs.getAtIndex(JAVA_FLOAT, i);
      changed += ours == first ? 0 : 1;
      if (!(Math.abs(ours - other) <= TOLERANCE * Math.abs(ours - first) + ROUNDINGS)
          || ours == first && other != first) {
        throw new IllegalStateException(
            "%s: element %s is %s here, but %s in %s".formatted(optimizer, i, ours, other, peer));
      }
    }
    if (changed == 0) {
      throw new IllegalStateException("no step has changed an element");
    }
  }

  private void steps() {
    data.batches.forEach(each -> table.step(each, data.gradients));
  }

  @Benchmark
  public void pair(Pair pair) throws IOException, InterruptedException {
    pair.stepNanos += Pair.time(1, this::steps) / batches;
    pair.otherNanos += (double) training.steps(batches) / batches;
    Thread.sleep(peer.hasThreads() ? PAUSE_MILLIS : 0);
  }

  @TearDown
  public void tearDown() throws IOException {
    if (training != null) {
      training.close();
    }
    table.close();
    data.close();
  }
}
