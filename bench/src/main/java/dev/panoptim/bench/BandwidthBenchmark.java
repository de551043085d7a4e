package dev.panoptim.bench;

import dev.panoptim.backend.Backends;
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

/// A native step and a kernel that only moves the same bytes, in turn over the same memory.
///
/// The physical pages of a process change both times by up to a fifth, and other tenants of the
/// machine by more. Both calls of a pair therefore use the same pages, one directly after the
/// other, and the result is the ratio of their times.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class BandwidthBenchmark {
  @Param public BenchedOptimizer optimizer;

  @Param("33554432")
  public int elements;

  @Param("2")
  public int threads;

  private Training training;
  private Traffic traffic;

  @Setup
  public void setUp() {
    training = new Training(optimizer, elements, Backends.nativeCode(), threads);
    traffic =
        new Traffic(
            training.parameter.data(), training.parameter.gradient(), training.states(), threads);
  }

  @Benchmark
  public void pair(Pair pair) {
    long start = System.nanoTime();
    training.optimizer.step();
    long between = System.nanoTime();
    traffic.move();
    // A second time, not timed: the kernel negates the states, and this restores them.
    long end = System.nanoTime();
    traffic.move();
    pair.stepNanos += between - start;
    pair.otherNanos += end - between;
  }

  @TearDown
  public void tearDown() {
    training.close();
  }
}
