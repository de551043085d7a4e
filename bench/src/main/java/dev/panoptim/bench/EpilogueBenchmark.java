package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.memory.ShadowType;
import dev.panoptim.optim.OptimizerBuilder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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

/// The whole end of a training step, that is scale, clip to a norm, AdamW, average, bfloat16 copy
/// and zeroed gradient: fused, and in turn with it as passes of their own or as PyTorch's chain of
/// the same around its fused step. Results are compared before they are timed.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class EpilogueBenchmark {
  private static final long PAUSE_MILLIS = 30;
  private static final double TOLERANCE = 1e-5;
  private static final float SCALE = 0.5f;
  private static final double CLIP_NORM = 1;
  private static final double AVERAGE_DECAY = 0.999;

  /// What the fused step is compared with: `passes` or `pytorch`.
  @Param({"passes", "pytorch"})
  public String against;

  @Param("33554432")
  public int elements;

  @Param("2")
  public int threads;

  private final Arena arena = Arena.ofShared();
  private Training fused;
  private MemorySegment gradients;
  private Training apart;
  private Passes passes;
  private PyTorchPeer peer;

  @Setup
  public void setUp() throws IOException, InterruptedException {
    gradients = arena.allocate(4L * elements, 64);
    fused = new Training(Contender.ADAMW, 1, elements, "native", threads, this::everything);
    try (var start = Training.start(1, elements)) {
      gradients.copyFrom(start.get("p0").gradient());
    }
    try {
      if (against.equals("pytorch")) {
        peer = new PyTorchPeer("AdamW(p, fused=True)", "epilogue", 1, elements, threads);
        peer.step(1);
      } else {
        setUpPasses();
      }
      pair(new Pair());
      requireAgreement();
    } catch (Throwable e) {
      tearDown();
      throw e;
    }
  }

  private void everything(OptimizerBuilder<?> builder) {
    builder
        .averageParameters(AVERAGE_DECAY)
        .shadow(ShadowType.BFLOAT16)
        .options(o -> o.gradientScale(SCALE).clipGradNorm(CLIP_NORM).zeroGrad(true));
  }

  /// The training's first step is made with the gradients that the passes would leave; from then on
  /// the passes do it.
  private void setUpPasses() {
    apart =
        new Training(
            Contender.ADAMW,
            1,
            elements,
            "native",
            threads,
            builder -> builder.options(o -> o.gradientScale(SCALE).clipGradNorm(CLIP_NORM)));
    apart.optimizer.options().gradientScale(1).clipGradNorm(Double.POSITIVE_INFINITY);
    MemorySegment average = arena.allocate(4L * elements + 256, 64).asSlice(192, 4L * elements);
    average.copyFrom(apart.parameter.data());
    passes =
        new Passes(
            apart.parameter.data(),
            apart.parameter.gradient(),
            average,
            arena.allocate(2L * elements, 64),
            elements,
            threads);
  }

  private void requireAgreement() throws IOException {
    try (Arena copies = Arena.ofConfined()) {
      MemorySegment ours = fused.parameter.data();
      MemorySegment theirs = peer == null ? apart.parameter.data() : peer.data(copies);
      for (long i = 0; i < elements; i++) {
        float a = ours.getAtIndex(JAVA_FLOAT, i);
        float b = theirs.getAtIndex(JAVA_FLOAT, i);
        if (!(Math.abs(a - b) <= TOLERANCE)) {
          throw new IllegalStateException(
              "element %d is %s fused, but %s in %s".formatted(i, a, b, against));
        }
      }
    }
  }

  @Benchmark
  public void pair(Pair pair) throws IOException, InterruptedException {
    fused.parameter.gradient().copyFrom(gradients);
    Thread.sleep(PAUSE_MILLIS);
    long start = System.nanoTime();
    fused.optimizer.step();
    pair.stepNanos += System.nanoTime() - start;
    if (peer != null) {
      Thread.sleep(PAUSE_MILLIS);
      pair.otherNanos += peer.step(1);
    } else {
      apart.parameter.gradient().copyFrom(gradients);
      Thread.sleep(PAUSE_MILLIS);
      start = System.nanoTime();
      passes.run(SCALE, CLIP_NORM, AVERAGE_DECAY, apart.optimizer::step);
      pair.otherNanos += System.nanoTime() - start;
    }
  }

  @TearDown
  public void tearDown() throws IOException {
    fused.close();
    if (apart != null) {
      apart.close();
    }
    if (peer != null) {
      peer.close();
    }
    arena.close();
  }
}
