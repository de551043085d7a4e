package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.memory.Parameters;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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

/// A native step and PyTorch's default CPU step of the same training, in turn; before they are
/// timed, their results are compared.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class PyTorchBenchmark {
  /// OpenMP's threads spin for a while when their work is done; neither side is to be held up by
  /// the other's.
  private static final long PAUSE_MILLIS = 30;

  /// Of the way that an element has gone, and of what a float can hold.
  private static final double TOLERANCE = 1e-3;

  private static final double ROUNDINGS = 1e-6;

  /// Enough for RAdam to have begun to divide.
  private static final int COMPARED_STEPS = 12;

  @Param public Contender optimizer;

  @Param("33554432")
  public int elements;

  @Param("2")
  public int threads;

  private Training training;
  private PyTorchPeer peer;

  @Setup
  public void setUp() throws IOException {
    training = new Training(optimizer, elements, "native", threads);
    peer = new PyTorchPeer(optimizer.inPyTorch(), "step", 1, elements, threads);
    try {
      for (int i = 1; i < COMPARED_STEPS; i++) {
        training.optimizer.step();
      }
      peer.step(COMPARED_STEPS);
      requireAgreement();
    } catch (Throwable e) {
      tearDown();
      throw e;
    }
  }

  private void requireAgreement() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Parameters begin = Training.start(1, elements)) {
      MemorySegment start = begin.get("p0").data();
      MemorySegment ours = training.parameter.data();
      MemorySegment theirs = peer.data(arena);
      for (long i = 0; i < elements; i++) {
        float a = ours.getAtIndex(JAVA_FLOAT, i);
        float b = theirs.getAtIndex(JAVA_FLOAT, i);
        double way = Math.abs(b - start.getAtIndex(JAVA_FLOAT, i));
        if (!(way > 0 && Math.abs(a - b) <= TOLERANCE * way + ROUNDINGS)) {
          throw new IllegalStateException(
              "%s: element %d is %s here, but %s in %s"
                  .formatted(optimizer, i, a, b, peer.version()));
        }
      }
    }
  }

  @Benchmark
  public void pair(Pair pair) throws IOException, InterruptedException {
    Thread.sleep(PAUSE_MILLIS);
    long start = System.nanoTime();
    training.optimizer.step();
    pair.stepNanos += System.nanoTime() - start;
    Thread.sleep(PAUSE_MILLIS);
    pair.otherNanos += peer.step(1);
  }

  @TearDown
  public void tearDown() throws IOException {
    training.close();
    peer.close();
  }
}
