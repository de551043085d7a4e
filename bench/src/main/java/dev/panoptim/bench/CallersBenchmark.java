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

/// Steps that many Java threads make at once, each with an optimizer of its own that may take two
/// threads: what all of them do together, to be compared with what one does.
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class CallersBenchmark {
  /// So many that even one caller's memory does not fit into a cache.
  @Param("4194304")
  public int elements;

  private Training training;

  @Setup
  public void setUp() {
    training = new Training(Contender.ADAMW, elements, "native", 2);
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
