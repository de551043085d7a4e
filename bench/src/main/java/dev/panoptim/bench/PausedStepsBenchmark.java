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

/// AdamW's steps with pauses in between, as a training has them that computes gradients: helpers
/// have gone to sleep. The result `stepNanos` is that of one step, without its pause.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class PausedStepsBenchmark {
  private static final int STEPS = 1000;

  @Param({"131072", "262144", "524288"})
  public int elements;

  @Param({"1", "2"})
  public int threads;

  @Param("200")
  public int pauseMicros;

  private Training training;

  @Setup
  public void setUp() {
    training = new Training(Contender.ADAMW, elements, Backends.nativeCode(), threads);
  }

  @Benchmark
  public void steps(Pair pair) {
    for (int i = 0; i < STEPS; i++) {
      long pause = System.nanoTime();
      while (System.nanoTime() - pause < pauseMicros * 1000L) {
        Thread.onSpinWait();
      }
      long start = System.nanoTime();
      training.optimizer.step();
      pair.stepNanos += (double) (System.nanoTime() - start) / STEPS;
    }
  }

  @TearDown
  public void tearDown() {
    training.close();
  }
}
