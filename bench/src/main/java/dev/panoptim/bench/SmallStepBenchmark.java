package dev.panoptim.bench;

import com.sun.management.ThreadMXBean;
import dev.panoptim.backend.Backends;
import dev.panoptim.optim.StateDict;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// AdamW's step over so few parameters that its fixed costs dominate, at a given step count.
///
/// The count matters, because each step computes `pow(beta1, count)` and `pow(beta2, count)`.
/// Beyond 100,000 steps `pow(beta2, count)` is 0 without a computation, and between 5,000 and
/// 25,000 steps its cost is highest. A benchmark that lets the count grow reaches 100,000 in 20 ms
/// and measures the cheap case. A real training of so many steps is rare, so the published figure
/// is the one at [#PUBLISHED]. The count is therefore set anew before each batch of steps.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class SmallStepBenchmark {
  /// The step count of the published figure.
  public static final String PUBLISHED = "10000";

  /// The counter of [Heap].
  public static final String HEAP_BYTES = "heapBytes";

  /// Steps between two settings of the count. They take about 0.1 ms, far longer than the two
  /// readings of the clock around them, and raise a count of 10,000 by a tenth only.
  static final int BATCH = 1000;

  /// Steps after setting the count that are not timed. The first one prepares tables for the next.
  static final int UNTIMED_STEPS = 10;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @Param("16")
  public int elements;

  @Param({"native", "vector", "scalar"})
  public String backend;

  /// The step count at which a batch begins.
  @Param({PUBLISHED, "200000"})
  public long step;

  private Training training;
  private StateDict atStep;

  /// Heap bytes that a step allocates, on average over an iteration.
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Heap {
    public double heapBytes;
    private long allocated;
    private long steps;

    @Setup(Level.Iteration)
    public void reset() {
      heapBytes = 0;
      allocated = 0;
      steps = 0;
    }

    private void add(long bytes) {
      allocated += bytes;
      steps += BATCH;
      heapBytes = (double) allocated / steps;
    }
  }

  @Setup
  public void setUp() {
    training = new Training(BenchedOptimizer.ADAMW, elements, Backends.named(backend), 1);
    atStep = training.stateDictAt(step - UNTIMED_STEPS);
  }

  /// Not timed.
  @Setup(Level.Invocation)
  public void setStepCount() {
    training.optimizer.loadStateDict(atStep);
    for (int i = 0; i < UNTIMED_STEPS; i++) {
      training.optimizer.step();
    }
  }

  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void steps(Heap heap) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < BATCH; i++) {
      training.optimizer.step();
    }
    heap.add(THREADS.getCurrentThreadAllocatedBytes() - before);
  }

  Training training() {
    return training;
  }

  @TearDown
  public void tearDown() {
    training.close();
  }
}
