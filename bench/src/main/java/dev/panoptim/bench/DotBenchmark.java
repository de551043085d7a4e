package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.backend.Backends;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.vector.VectorOperations;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
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

/// The dot product of L-BFGS and a kernel that only reads the same bytes, in turn over the same
/// memory; see [BandwidthBenchmark].
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class DotBenchmark {
  @Param("native")
  public String backend;

  @Param("33554432")
  public int elements;

  @Param("2")
  public int threads;

  private Parameters memory;
  private VectorOperations operations;
  private ReadTraffic traffic;

  @Setup
  public void setUp() {
    memory = Parameters.builder().add("x", elements).build();
    Parameter vectors = memory.get("x");
    for (long i = 0; i < elements; i++) {
      vectors.data().setAtIndex(JAVA_FLOAT, i, 1 + i % 3);
      vectors.gradient().setAtIndex(JAVA_FLOAT, i, 2 - i % 5);
    }
    operations = Engine.of(Backends.named(backend)).vectorOperations(elements, threads);
    traffic = new ReadTraffic(vectors.data(), vectors.gradient(), threads);
  }

  /// @return the dot product plus the result of the other kernel, so that both are needed
  @Benchmark
  public double pair(Pair pair) {
    long start = System.nanoTime();
    double product = dot();
    long between = System.nanoTime();
    int bits = traffic.read();
    pair.stepNanos += between - start;
    pair.otherNanos += System.nanoTime() - between;
    return product + bits;
  }

  double dot() {
    return operations.dot(traffic.x(), traffic.y());
  }

  ReadTraffic traffic() {
    return traffic;
  }

  @TearDown
  public void tearDown() {
    memory.close();
  }
}
