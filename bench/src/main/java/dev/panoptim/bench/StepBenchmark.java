package dev.panoptim.bench;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Tier;
import dev.panoptim.optim.StateDict;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// A step over one parameter tensor.
///
/// Each iteration begins at step [#FIRST_STEP], because the cost of a step's coefficients depends
/// on the step count, see [SmallStepBenchmark]. That benchmark, which keeps the count fixed, is the
/// one for tensors smaller than those here.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class StepBenchmark {
  /// The most capable tier that the processor has.
  public static final String BEST = "best";

  private static final long FIRST_STEP = 10_000;

  @Param public BenchedOptimizer optimizer;

  @Param({"4096", "65536", "33554432"})
  public int elements;

  @Param({"native", "vector", "scalar"})
  public String backend;

  /// The label of a [Tier] for the native backend; [#BEST] for the others.
  @Param(BEST)
  public String tier;

  @Param({"1", "2"})
  public int threads;

  private Training training;
  private StateDict atFirstStep;

  @Setup
  public void setUp() {
    training = new Training(optimizer, elements, chosen(), threads);
    atFirstStep = training.stateDictAt(FIRST_STEP);
  }

  @Setup(Level.Iteration)
  public void setStepCount() {
    training.optimizer.loadStateDict(atFirstStep);
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
