package dev.panoptim.bench;

import dev.panoptim.backend.Backends;
import java.lang.foreign.Arena;
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

/// A step of AdamW that also publishes the parameters in the same pass over memory, in turn with
/// the step and a separate copy, or with the step alone. Results are compared before the timing.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class PublicationBenchmark {
  private static final int COMPARED_STEPS = 4;
  private static final int STEPS = 8;

  public static final String COPY = "copy";
  public static final String NOTHING = "nothing";

  /// The comparison.
  @Param({COPY, NOTHING})
  public String against;

  @Param({"4194304", "33554432"})
  public int elements;

  @Param("2")
  public int threads;

  private final Arena arena = Arena.ofShared();
  private Training publishing;
  private Training plain;
  private MemorySegment copy;

  @Setup
  public void setUp() {
    TensorSizes sizes = new TensorSizes(1, elements);
    publishing =
        new Training(
            BenchedOptimizer.ADAMW,
            sizes,
            Backends.nativeCode(),
            threads,
            builder -> builder.publish());
    plain = new Training(BenchedOptimizer.ADAMW, elements, Backends.nativeCode(), threads);
    copy = arena.allocate(4L * elements, 64);
    for (int i = 0; i < COMPARED_STEPS; i++) {
      pair(new Pair());
    }
    publishing.optimizer.publication().read(found -> requireSame(found.data("p0")));
  }

  private Void requireSame(MemorySegment published) {
    MemorySegment expected = against.equals(COPY) ? copy : plain.parameter.data();
    long at = published.mismatch(expected);
    if (at >= 0) {
      throw new IllegalStateException("byte " + at + " of the publication differs");
    }
    return null;
  }

  @Benchmark
  public void pair(Pair pair) {
    pair.stepNanos += Pair.time(STEPS, publishing.optimizer::step);
    pair.otherNanos +=
        Pair.time(
            STEPS,
            () -> {
              plain.optimizer.step();
              if (against.equals(COPY)) {
                plain.parameter.copyDataTo(copy);
              }
            });
  }

  @TearDown
  public void tearDown() {
    publishing.close();
    plain.close();
    arena.close();
  }
}
