package dev.panoptim.bench;

import com.sun.management.ThreadMXBean;
import dev.panoptim.device.Device;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
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

/// Steps of AdamW on the first GPU, in turn with copies within its memory. The results of the first
/// steps are compared with those of the CPU before the timing.
///
/// A measurement enqueues many steps, as a training does, and then waits once for all of them: it
/// is the throughput of steps. A single step that is awaited takes longer. Offloaded steps are
/// complete when they return. The copies are measured in the same way.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
public class GpuBenchmark {
  /// Even, so that gradients move to both addresses.
  private static final int COMPARED_STEPS = 4;

  /// A fused step sets the gradients to 0, so that the first moments fade by a tenth at each step.
  /// After more steps without new gradients they would become denormal numbers, whose roots and
  /// quotients are computed differently.
  private static final int MOST_FUSED_STEPS = 60;

  /// The time of the warm-up of steps over many tensors, in measurements: 3 seconds.
  private static final int WARM_UP_MEASUREMENTS = 30;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @Param public GpuCase kind;

  /// Number of tensors x elements of each.
  @Param({"1x256", "1x1000000", "1x100000000", "10000x10000"})
  public String tensors;

  /// The time of a measurement. Tests need less.
  double measuredNanos = 1e8;

  private GpuMemory memory;
  private GpuTraining training;
  private MemorySegment from;
  private MemorySegment to;
  private long copiedBytes;
  private int steps;
  private int copies;

  @Setup
  public void setUp() {
    TensorSizes sizes = TensorSizes.parse(tensors);
    Device gpu = Device.cuda(0);
    memory = new GpuMemory(gpu);
    try {
      training = new GpuTraining(kind, sizes, gpu, memory);
      requireResultsOfTheCpu(sizes);
      int mostSteps = kind == GpuCase.FUSED ? MOST_FUSED_STEPS : Integer.MAX_VALUE;
      steps = repetitions(mostSteps, this::runSteps);
      if (sizes.count() > 1) {
        warmUp();
        steps = repetitions(mostSteps, this::runSteps);
      }
      if (!kind.isOffloaded()) {
        prepareCopies(sizes, gpu);
      }
    } catch (Throwable e) {
      try {
        tearDown();
      } catch (Throwable later) {
        e.addSuppressed(later);
      }
      throw e;
    }
  }

  /// Runs steps until the JVM has compiled the work for each tensor. The first hundred steps with
  /// 10,000 gradients that move take several times longer than compiled ones.
  private void warmUp() {
    long begin = System.nanoTime();
    while (System.nanoTime() - begin < WARM_UP_MEASUREMENTS * measuredNanos) {
      training.restoreGradients();
      runSteps(steps);
    }
  }

  private void requireResultsOfTheCpu(TensorSizes sizes) {
    TensorSizes period = new TensorSizes(1, Math.min(GpuPattern.LONGEST, sizes.total()));
    try (GpuTraining expected = new GpuTraining(kind, period, Device.cpu(), null)) {
      for (int i = 0; i < COMPARED_STEPS; i++) {
        for (GpuTraining each : new GpuTraining[] {training, expected}) {
          each.restoreGradients();
          each.step();
        }
      }
      training.await();
      training.requireSameAs(expected);
    }
  }

  private void prepareCopies(TensorSizes sizes, Device gpu) {
    copiedBytes = (long) Float.BYTES * sizes.total();
    from = memory.allocate(copiedBytes);
    to = memory.allocate(copiedBytes);
    new GpuPattern(Math.min(GpuPattern.LONGEST, sizes.total()))
        .write(GpuPattern.DATA, gpu, from, 0, sizes.total());
    copies = repetitions(Integer.MAX_VALUE, this::runCopies);
  }

  private interface Repeated {
    void run(int times);
  }

  /// The number of repetitions whose time is that of a measurement.
  private int repetitions(int most, Repeated work) {
    int times = 1;
    while (true) {
      training.restoreGradients();
      double nanos = time(work, times);
      if (nanos * times * 5 > measuredNanos || times >= most) {
        return (int) Math.clamp(measuredNanos / nanos, 1, most);
      }
      times = Math.min(most, 2 * times);
    }
  }

  /// Nanoseconds of one of several repetitions.
  private static double time(Repeated work, int times) {
    return Pair.time(1, () -> work.run(times)) / times;
  }

  private void runSteps(int times) {
    for (int i = 0; i < times; i++) {
      training.step();
    }
    training.await();
  }

  private void runCopies(int times) {
    for (int i = 0; i < times; i++) {
      memory.copy(from, to, copiedBytes);
    }
    memory.await();
  }

  @Benchmark
  public void pair(Pair pair, HeapBytes heap) {
    training.restoreGradients();
    long before = THREADS.getCurrentThreadAllocatedBytes();
    pair.stepNanos += time(this::runSteps, steps);
    heap.heapBytes += (double) (THREADS.getCurrentThreadAllocatedBytes() - before) / steps;
    if (copies > 0) {
      pair.otherNanos += time(this::runCopies, copies);
    }
  }

  @TearDown
  public void tearDown() {
    // The training is closed first. If that fails, the memory is closed all the same.
    try (GpuMemory second = memory;
        GpuTraining first = training) {}
  }
}
