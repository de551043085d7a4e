package dev.panoptim.bench;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
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

/// AdamW over many small tensors, in turn with AdamW over one tensor of as many elements. Gradients
/// may have a new address in each step, as in frameworks that free them in between. Results are
/// compared bit by bit before the timing.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class ManyTensorsBenchmark {
  /// The smallest number of elements that a timed run of steps updates.
  private static final int ELEMENTS_OF_A_PAIR = 1 << 26;

  private static final int COMPARED_STEPS = 3;

  /// The addresses of gradients in successive steps.
  public static final String STAY = "stay";

  public static final String MOVE = "move";

  /// Number of tensors x elements of each.
  @Param({"1000x256", "5000x1000"})
  public String tensors;

  @Param({STAY, MOVE})
  public String gradients;

  @Param("2")
  public int threads;

  private Training many;
  private Training one;
  private int steps;

  /// Two addresses for each gradient of the many tensors.
  private final Arena arena = Arena.ofShared();

  private final MemorySegment[][] places = new MemorySegment[2][];
  private int place;

  @Setup
  public void setUp() {
    TensorSizes sizes = TensorSizes.parse(tensors);
    steps = Math.ceilDiv(ELEMENTS_OF_A_PAIR, sizes.total());
    many = training(sizes);
    one = training(new TensorSizes(1, sizes.total()));
    for (int i = 0; i < places.length; i++) {
      places[i] = many.all().stream().map(this::copyOfGradient).toArray(MemorySegment[]::new);
    }
    for (int i = 0; i < COMPARED_STEPS; i++) {
      stepOfMany();
      one.optimizer.step();
    }
    requireSame();
  }

  private Training training(TensorSizes sizes) {
    return new Training(
        BenchedOptimizer.ADAMW, sizes, Backends.nativeCode(), threads, builder -> {});
  }

  private MemorySegment copyOfGradient(Parameter of) {
    return arena.allocate(of.gradient().byteSize(), 64).copyFrom(of.gradient());
  }

  private void stepOfMany() {
    if (gradients.equals(MOVE)) {
      place = 1 - place;
      List<Parameter> all = many.all();
      for (int i = 0; i < all.size(); i++) {
        all.get(i).setGradient(places[place][i]);
      }
    }
    many.optimizer.step();
  }

  private void requireSame() {
    MemorySegment whole = one.all().getFirst().data();
    long offset = 0;
    for (Parameter each : many.all()) {
      if (each.data().mismatch(whole.asSlice(offset, each.data().byteSize())) != -1) {
        throw new IllegalStateException(
            "parameter " + each + " differs from its part of the one tensor");
      }
      offset += each.data().byteSize();
    }
  }

  @Benchmark
  public void pair(Pair pair) {
    pair.stepNanos += Pair.time(steps, this::stepOfMany);
    pair.otherNanos += Pair.time(steps, one.optimizer::step);
  }

  @TearDown
  public void tearDown() {
    many.close();
    one.close();
    arena.close();
  }
}
