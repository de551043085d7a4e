package dev.panoptim.bench;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// A native step and the kernel that only moves its bytes, in turn over the same memory.
///
/// Which physical pages a process got changes the time of either by a fifth, and other tenants of
/// the machine by more; so each pair of calls shares its pages and its moment, and what is compared
/// is the time of the one to that of the other.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class LimitBenchmark {
  /// Both times, as results of their own.
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Times {
    public long stepNanos;
    public long limitNanos;

    @Setup(Level.Iteration)
    public void reset() {
      stepNanos = 0;
      limitNanos = 0;
    }
  }

  @Param("33554432")
  public int elements;

  @Param("2")
  public int threads;

  private Training training;
  private MemorySegment first;
  private MemorySegment second;

  @Setup
  public void setUp() {
    training = new Training(elements, "native", threads);
    first = training.state("firstMoment");
    second = training.state("secondMoment");
  }

  @Benchmark
  public void pair(Times times) {
    long start = System.nanoTime();
    training.optimizer.step();
    long between = System.nanoTime();
    Traffic.move(training.parameter.data(), training.parameter.gradient(), first, second, threads);
    // Twice, so that the signs that it turns are right again; the second time is not counted.
    long end = System.nanoTime();
    Traffic.move(training.parameter.data(), training.parameter.gradient(), first, second, threads);
    times.stepNanos += between - start;
    times.limitNanos += end - between;
  }

  @TearDown
  public void tearDown() {
    training.close();
  }
}
