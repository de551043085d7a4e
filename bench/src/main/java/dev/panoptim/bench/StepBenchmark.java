package dev.panoptim.bench;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Tier;
import java.util.Locale;
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

/// A step over one parameter.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class StepBenchmark {
  /// The most capable tier that there is.
  public static final String BEST = "best";

  @Param public BenchedOptimizer optimizer;

  @Param({"16", "4096", "65536", "33554432"})
  public int elements;

  @Param({"native", "vector", "scalar"})
  public String backend;

  /// Of the native backend, `scalar`, `avx2` or `avx512`; the others have none but [#BEST].
  @Param(BEST)
  public String tier;

  @Param({"1", "2"})
  public int threads;

  private Training training;

  @Setup
  public void setUp() {
    training = new Training(optimizer, elements, chosen(), threads);
  }

  private Backend chosen() {
    if (tier.equals(BEST)) {
      return Backends.named(backend);
    }
    if (!backend.equals("native")) {
      throw new IllegalArgumentException("backend " + backend + " has no tier " + tier);
    }
    return Backends.nativeCode(Tier.valueOf(tier.toUpperCase(Locale.ROOT)));
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
