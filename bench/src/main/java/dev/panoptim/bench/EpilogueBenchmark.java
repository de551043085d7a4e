package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.OptimizerBuilder;
import java.io.IOException;
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

/// A step with gradient scale, clipping to a norm, AdamW, average, bfloat16 copy and zeroed
/// gradient: fused, in turn with separate native passes or with PyTorch's operations around its
/// fused step. Results are compared before the timing.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class EpilogueBenchmark {
  private static final long PAUSE_MILLIS = 30;
  private static final double TOLERANCE = 1e-5;
  private static final float SCALE = 0.5f;

  /// The root mean square to which gradients are clipped; gradients have about 0.0061.
  private static final double CLIP_AT = 0.002;

  private static final double AVERAGE_DECAY = 0.999;

  /// Factors of the gradients in successive steps. With constant gradients, AdamW would hide a
  /// wrong scale.
  private static final float[] FACTORS = {1, 8, 0.25f};

  private static final int COMPARED_STEPS = 4;

  public static final String PASSES = "passes";
  public static final String PYTORCH = "pytorch";

  /// The comparison.
  @Param({PASSES, PYTORCH})
  public String against;

  @Param("33554432")
  public int elements;

  @Param("2")
  public int threads;

  private final Arena arena = Arena.ofShared();
  private Training fused;
  private MemorySegment gradients;
  private TensorSizes sizes;
  private Training apart;
  private Parameters passMemory;
  private Passes passes;
  private PeerProcess peer;
  private long pairs;

  @Setup
  public void setUp() throws IOException, InterruptedException {
    gradients = arena.allocate(4L * elements, 64);
    sizes = new TensorSizes(1, elements);
    fused =
        new Training(
            BenchedOptimizer.ADAMW, sizes, Backends.nativeCode(), threads, this::everything);
    try (var start = Training.start(sizes)) {
      gradients.copyFrom(start.get("p0").gradient());
    }
    try {
      if (against.equals(PYTORCH)) {
        peer = Peer.chainInPyTorch(sizes, threads);
        peer.step(1);
      } else {
        setUpPasses();
      }
      for (int i = 0; i < COMPARED_STEPS; i++) {
        pair(new Pair());
      }
      requireAgreement();
    } catch (Throwable e) {
      tearDown();
      throw e;
    }
  }

  private void everything(OptimizerBuilder<?> builder) {
    builder
        .averageParameters(AVERAGE_DECAY)
        .halfPrecisionCopy(HalfPrecision.BFLOAT16)
        .options(o -> o.gradientScale(SCALE).clipGradNorm(clipNorm()).zeroGrad(true));
  }

  /// The first step scales and clips by itself. In later steps the passes do.
  private void setUpPasses() {
    apart =
        new Training(
            BenchedOptimizer.ADAMW,
            sizes,
            Backends.nativeCode(),
            threads,
            builder -> builder.options(o -> o.gradientScale(SCALE).clipGradNorm(clipNorm())));
    apart.optimizer.options().gradientScale(1).clipGradNorm(Double.POSITIVE_INFINITY);
    // On huge pages and staggered, as in the fused step.
    passMemory =
        Parameters.builder()
            .add("stagger", Constants.CHOSEN.values().get("stagger") / Float.BYTES)
            .add("average", elements)
            .add("bfloat16", Math.ceilDiv(elements, 2))
            .build();
    MemorySegment average = passMemory.get("average").data();
    average.copyFrom(apart.parameter.data());
    passes =
        new Passes(
            apart.parameter.data(),
            apart.parameter.gradient(),
            average,
            passMemory.get("bfloat16").data(),
            elements,
            threads);
  }

  private void requireAgreement() throws IOException {
    try (Arena copies = Arena.ofConfined()) {
      if (peer != null) {
        requireSame("parameter", fused.parameter.data(), peer.data(copies));
        return;
      }
      requireSame("parameter", fused.parameter.data(), passes.data());
      requireSame("average", fused.optimizer.average(fused.parameter), passes.average());
      requireSame("gradient", fused.parameter.gradient(), passes.gradient());
      MemorySegment bfloat16 = fused.optimizer.halfPrecisionCopy(fused.parameter);
      for (long i = 0; i < elements; i++) {
        float a = HalfPrecision.BFLOAT16.toFloat(bfloat16.getAtIndex(JAVA_SHORT, i));
        float b = HalfPrecision.BFLOAT16.toFloat(passes.bfloat16().getAtIndex(JAVA_SHORT, i));
        // The last bit may differ where the value is near a tie.
        requireNear("bfloat16 copy", i, a, b, Math.abs(b) / 64);
      }
    }
  }

  private void requireSame(String what, MemorySegment ours, MemorySegment theirs) {
    for (long i = 0; i < elements; i++) {
      requireNear(
          what, i, ours.getAtIndex(JAVA_FLOAT, i), theirs.getAtIndex(JAVA_FLOAT, i), TOLERANCE);
    }
  }

  private void requireNear(String what, long i, float a, float b, double tolerance) {
    if (!(Math.abs(a - b) <= tolerance)) {
      throw new IllegalStateException(
          "element %s of the %s is %s fused, but %s in %s".formatted(i, what, a, b, against));
    }
  }

  @Benchmark
  public void pair(Pair pair) throws IOException, InterruptedException {
    float factor = FACTORS[(int) (pairs++ % FACTORS.length)];
    setGradient(fused, factor);
    Thread.sleep(PAUSE_MILLIS);
    long start = System.nanoTime();
    fused.optimizer.step();
    pair.stepNanos += System.nanoTime() - start;
    if (peer != null) {
      Thread.sleep(PAUSE_MILLIS);
      pair.otherNanos += peer.step(1);
    } else {
      setGradient(apart, factor);
      Thread.sleep(PAUSE_MILLIS);
      start = System.nanoTime();
      passes.run(SCALE, clipNorm(), AVERAGE_DECAY, apart.optimizer::step);
      pair.otherNanos += System.nanoTime() - start;
    }
  }

  private void setGradient(Training training, float factor) {
    MemorySegment gradient = training.parameter.gradient();
    for (long i = 0; i < elements; i++) {
      gradient.setAtIndex(JAVA_FLOAT, i, factor * gradients.getAtIndex(JAVA_FLOAT, i));
    }
  }

  /// Gradients with the smallest factor are below this norm and not clipped.
  private double clipNorm() {
    return CLIP_AT * Math.sqrt(elements);
  }

  @TearDown
  public void tearDown() throws IOException {
    fused.close();
    if (apart != null) {
      apart.close();
      passMemory.close();
    }
    if (peer != null) {
      peer.close();
    }
    arena.close();
  }
}
