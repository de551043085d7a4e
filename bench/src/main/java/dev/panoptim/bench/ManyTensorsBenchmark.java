package dev.panoptim.bench;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// AdamW over many small tensors, and over one, in turn with PyTorch's fused step of the same,
/// which is given the number of threads that suits it.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ManyTensorsBenchmark {
  /// The steps of a pair.
  static final int STEPS_OF_ONE = 20_000;

  static final int STEPS_OF_MANY = 5;
  private static final long PAUSE_MILLIS = 30;

  /// Tensors and elements of each.
  @Param({"5000x1000", "1x256"})
  public String tensors;

  @Param({"1", "2"})
  public int peerThreads;

  private Training training;
  private PyTorchPeer peer;
  private int steps;

  @Setup
  public void setUp() throws IOException {
    String[] sizes = tensors.split("x");
    int count = Integer.parseInt(sizes[0]);
    int elements = Integer.parseInt(sizes[1]);
    steps = count == 1 ? STEPS_OF_ONE : STEPS_OF_MANY;
    training = new Training(Contender.ADAMW, count, elements, "native", 2, builder -> {});
    peer = new PyTorchPeer("AdamW(p, fused=True)", "step", count, elements, peerThreads);
  }

  @Benchmark
  public void pair(Pair pair) throws IOException, InterruptedException {
    Thread.sleep(PAUSE_MILLIS);
    long start = System.nanoTime();
    for (int i = 0; i < steps; i++) {
      training.optimizer.step();
    }
    pair.stepNanos += System.nanoTime() - start;
    Thread.sleep(PAUSE_MILLIS);
    pair.otherNanos += peer.step(steps);
  }

  @TearDown
  public void tearDown() throws IOException {
    training.close();
    peer.close();
  }
}
