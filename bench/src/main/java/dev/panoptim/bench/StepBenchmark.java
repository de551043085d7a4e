package dev.panoptim.bench;

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

/// A step over one parameter.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class StepBenchmark {
  @Param public Contender optimizer;

  @Param({"16", "4096", "65536", "33554432"})
  public int elements;

  @Param({"native", "vector", "scalar"})
  public String backend;

  @Param({"1", "2"})
  public int threads;

  private Training training;

  @Setup
  public void setUp() {
    training = new Training(optimizer, elements, backend, threads);
  }

  @Benchmark
  public void step() {
    training.optimizer.step();
  }

  @TearDown
  public void tearDown() {
    training.close();
  }
}
