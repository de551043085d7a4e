package dev.panoptim.bench;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.MemorySegment;
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

/// AdamW over many small tensors, in turn with the same over one tensor of all their elements: what
/// it costs to be many. Results are compared before they are timed, bit by bit.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class ManyTensorsBenchmark {
  /// The elements that a pair's steps update together, at least.
  private static final int ELEMENTS_OF_A_PAIR = 1 << 26;

  private static final int COMPARED_STEPS = 3;

  /// Tensors and elements of each.
  @Param({"1000x256", "5000x1000"})
  public String tensors;

  @Param("2")
  public int threads;

  private Training many;
  private Training one;
  private int steps;

  @Setup
  public void setUp() {
    TensorSizes sizes = TensorSizes.parse(tensors);
    steps = Math.ceilDiv(ELEMENTS_OF_A_PAIR, sizes.total());
    many = training(sizes);
    one = training(new TensorSizes(1, sizes.total()));
    for (int i = 0; i < COMPARED_STEPS; i++) {
      many.optimizer.step();
      one.optimizer.step();
    }
    requireSame();
  }

  private Training training(TensorSizes sizes) {
    return new Training(Contender.ADAMW, sizes, Backends.nativeCode(), threads, builder -> {});
  }

  private void requireSame() {
    MemorySegment whole = one.all().getFirst().data();
    long offset = 0;
    for (Parameter each : many.all()) {
      if (each.data().mismatch(whole.asSlice(offset, each.data().byteSize())) != -1) {
        throw new IllegalStateException("parameter " + each + " differs from its part of the one");
      }
      offset += each.data().byteSize();
    }
  }

  @Benchmark
  public void pair(Pair pair) {
    pair.stepNanos += Pair.time(steps, many.optimizer::step);
    pair.otherNanos += Pair.time(steps, one.optimizer::step);
  }

  @TearDown
  public void tearDown() {
    many.close();
    one.close();
  }
}
