package dev.panoptim.bench;

import dev.panoptim.backend.Backends;
import java.io.IOException;
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

/// Native steps, in turn with another library's steps of the same training, in batches of about
/// [#BATCH_NANOS] each. Results are compared before the timing.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class PeerBenchmark {
  private static final long BATCH_NANOS = 50_000_000;

  /// OpenMP's threads spin for some time after their work. The pause keeps them from delaying the
  /// other side.
  private static final long PAUSE_MILLIS = 30;

  /// Enough for RAdam to reach its adaptive phase.
  private static final int COMPARED_STEPS = 12;

  private static final int BATCHES_TO_WARM_UP = 20;

  @Param public Peer peer;

  @Param public BenchedOptimizer optimizer;

  /// Number of tensors x elements of each.
  @Param({"1x33554432", "5000x1000", "1000x256", "1x256"})
  public String tensors;

  /// Threads of the peer. Panoptim may use two.
  @Param({"1", "2"})
  public int peerThreads;

  private Training training;
  private PeerProcess process;
  private int steps;
  private int peerSteps;

  @Setup
  public void setUp() throws IOException {
    TensorSizes sizes = TensorSizes.parse(tensors);
    training = new Training(optimizer, sizes, Backends.nativeCode(), 2, builder -> {});
    try {
      process = peer.train(optimizer, sizes, peerThreads);
      for (int i = 1; i < COMPARED_STEPS; i++) {
        training.optimizer.step();
      }
      process.step(COMPARED_STEPS);
      Agreement.require(training, sizes, process);
      warmUp();
    } catch (Throwable e) {
      tearDown();
      throw e;
    }
  }

  /// Determines the number of steps in a batch. Small steps spend much of their time in Java code,
  /// which is compiled only after thousands of steps.
  private void warmUp() throws IOException {
    for (steps = 1; Pair.time(steps, training.optimizer::step) * steps < BATCH_NANOS; steps *= 2) {}
    for (peerSteps = 1; process.step(peerSteps) < BATCH_NANOS; peerSteps *= 2) {}
    if (peerSteps > 1) {
      Pair.time(BATCHES_TO_WARM_UP * steps, training.optimizer::step);
      process.step(BATCHES_TO_WARM_UP * peerSteps);
    }
  }

  @Benchmark
  public void pair(Pair pair) throws IOException, InterruptedException {
    Thread.sleep(PAUSE_MILLIS);
    pair.stepNanos += Pair.time(steps, training.optimizer::step);
    Thread.sleep(PAUSE_MILLIS);
    pair.otherNanos += (double) process.step(peerSteps) / peerSteps;
  }

  @TearDown
  public void tearDown() throws IOException {
    training.close();
    if (process != null) {
      process.close();
    }
  }
}
