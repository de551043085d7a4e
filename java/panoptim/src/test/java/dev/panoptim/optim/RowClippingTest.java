package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.Allocations;
import dev.panoptim.GpuTests;
import dev.panoptim.Illegal;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// [StepOptions#clipGradAdaptive] as part of steps. `AdaptiveClippingTest` compares its numbers
/// with a computation in double.
class RowClippingTest {
  private static final long SEED = 20261128;

  private static Parameters parameters() {
    Parameters made =
        Parameters.builder()
            .add("matrix", 7, 50)
            .add("kernel", 4, 3, 5, 5)
            .add("bias", 33)
            .add("empty", 0, 4)
            .add("long", 3, 9000)
            .build();
    made.forEach(each -> fill(each.data(), each.name().hashCode(), 1));
    return made;
  }

  private static void fill(MemorySegment segment, long stream, double size) {
    SplittableRandom random = new SplittableRandom(SEED + 99 * stream);
    for (long i = 0; i < segment.byteSize() / Float.BYTES; i++) {
      segment.setAtIndex(JAVA_FLOAT, i, (float) (size * random.nextDouble(-1, 1)));
    }
  }

  private static void fillGradients(Iterable<Parameter> parameters, int step) {
    parameters.forEach(
        each -> fill(each.gradient(), each.name().hashCode() + 1000L * step, 0.4 * (step % 3)));
  }

  private static double norm(MemorySegment segment, long from, long to) {
    double sum = 0;
    for (long i = from; i < to; i++) {
      sum += Math.pow(segment.getAtIndex(JAVA_FLOAT, i), 2);
    }
    return Math.sqrt(sum);
  }

  /// By another implementation.
  ///
  /// @return the number of clipped rows
  private static int clip(Parameter parameter, double clipping, double epsilon, double scale) {
    boolean isMatrix = parameter.shape().size() > 1;
    long rows = isMatrix ? parameter.shape().getFirst() : 1;
    int clipped = 0;
    for (long row = 0; row < rows; row++) {
      long from = row * parameter.size() / rows;
      long to = (row + 1) * parameter.size() / rows;
      double limit = clipping * Math.max(epsilon, norm(parameter.data(), from, to));
      double factor = Math.min(1, limit / (scale * norm(parameter.gradient(), from, to)));
      for (long i = from; factor < 1 && i < to; i++) {
        float g = parameter.gradient().getAtIndex(JAVA_FLOAT, i);
        parameter.gradient().setAtIndex(JAVA_FLOAT, i, (float) factor * g);
      }
      clipped += factor < 1 ? 1 : 0;
    }
    return clipped;
  }

  @Test
  void aStepIsThatOfGradientsThatWereClippedBefore() {
    for (Backend backend : Problem.backends()) {
      for (int threads = 1; threads <= 2; threads++) {
        try (Parameters clipped = parameters();
            Parameters plain = parameters();
            Optimizer one =
                AdamW.builder(clipped)
                    .backend(backend)
                    .threads(threads)
                    .options(
                        o -> o.clipGradAdaptive(0.3, 1e-2).gradientScale(0.5).clipGradNorm(1.5))
                    .build();
            Optimizer other =
                AdamW.builder(plain).options(o -> o.gradientScale(0.5).clipGradNorm(1.5)).build()) {
          int rows = 0;
          for (int step = 1; step <= 4; step++) {
            fillGradients(clipped, step);
            fillGradients(plain, step);
            one.step();
            for (Parameter each : plain) {
              rows += clip(each, 0.3, 1e-2, 0.5);
            }
            other.step();
          }
          assertTrue(rows > 10 && rows < 50, rows + " rows");
          assertNull(
              Problem.difference(
                  Problem.bits(other, plain.all()), Problem.bits(one, clipped.all())),
              backend.describe());
          for (Parameter each : plain) {
            assertEquals(-1, each.gradient().mismatch(clipped.get(each.name()).gradient()));
          }
        }
      }
    }
  }

  @Test
  void aStepOfSomeParametersClipsTheirGradientsOnly() {
    try (Parameters all = parameters();
        Optimizer optimizer =
            Sgd.builder(all).options(o -> o.clipGradAdaptive(0.1).zeroGrad(true)).build()) {
      fillGradients(all, 1);
      MemorySegment before =
          Arena.ofAuto().allocate(4 * 350).copyFrom(all.get("matrix").gradient());
      optimizer.step(all.get("bias"), all.get("empty"));
      assertEquals(-1, before.mismatch(all.get("matrix").gradient()));
      assertEquals(0, norm(all.get("bias").gradient(), 0, 33));
    }
  }

  /// The optimizer's first parameters are small.
  @Test
  void aGroupThatIsAddedMayBeLarger() {
    try (Parameters all = parameters();
        Optimizer optimizer =
            Sgd.builder(List.of(all.get("bias"))).options(o -> o.clipGradAdaptive(0.1)).build()) {
      fillGradients(all, 1);
      optimizer.step();
      optimizer.addParamGroup(List.of(all.get("long"), all.get("matrix")), Map.of());
      optimizer.step();
      double limit = 0.1 * norm(all.get("long").data(), 9000, 18000);
      assertTrue(norm(all.get("long").gradient(), 9000, 18000) < 1.1 * limit);
    }
  }

  @Test
  void aReadOnlyGradientIsRefusedBeforeAnyGradientChanges() {
    try (Parameters all = parameters();
        Optimizer optimizer = Sgd.builder(all).options(o -> o.clipGradAdaptive(0.1)).build()) {
      fillGradients(all, 1);
      Map<String, int[]> before = Problem.bits(optimizer, all.all());
      MemorySegment gradient =
          Arena.ofAuto().allocate(4 * 350).copyFrom(all.get("matrix").gradient());
      all.get("long").setGradient(all.get("long").gradient().asReadOnly());
      Illegal.assertSays("gradient of 'long' is read-only", optimizer::step);
      assertNull(Problem.difference(before, Problem.bits(optimizer, all.all())));
      assertEquals(-1, gradient.mismatch(all.get("matrix").gradient()));
    }
  }

  @Test
  void aNanInARowIsSeenBySkippedSteps() {
    try (Parameters all = parameters();
        Optimizer optimizer =
            Sgd.builder(all).options(o -> o.clipGradAdaptive(0.1).skipNonFinite(true)).build()) {
      fillGradients(all, 1);
      all.get("long").gradient().setAtIndex(JAVA_FLOAT, 5, Float.POSITIVE_INFINITY);
      optimizer.step();
      assertTrue(optimizer.report().skipped());
    }
  }

  @Test
  void stepsAllocateNothing() {
    for (Backend backend : Problem.backends()) {
      if (backend != Backends.vector()) {
        try (Parameters all = parameters();
            Optimizer optimizer =
                Sgd.builder(all)
                    .backend(backend)
                    .threads(1)
                    .options(o -> o.clipGradAdaptive(0.1))
                    .build()) {
          fillGradients(all, 1);
          Allocations.assertNone(backend.describe(), 100, optimizer::step);
        }
      }
    }
  }

  @Test
  void wrongNumbersAreRefused() {
    StepOptions options = new StepOptions();
    for (double wrong : new double[] {0, -1, Double.NaN}) {
      Illegal.assertSays("clipGradAdaptive is " + wrong, () -> options.clipGradAdaptive(wrong));
    }
    for (double wrong : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      Illegal.assertSays("epsilon is " + wrong, () -> options.clipGradAdaptive(0.1, wrong));
    }
    assertEquals(Double.POSITIVE_INFINITY, options.clipGradAdaptive());
  }

  @Test
  void gpuBackendsRefuse() {
    GpuTests.need(1);
    Device gpu = Device.cuda(0);
    try (Arena arena = Arena.ofShared()) {
      Parameter p = Parameter.onDevice(gpu, "p", 6, gpu.allocate(24, arena));
      p.setGradient(gpu.allocate(24, arena));
      for (Backend backend : Problem.gpuBackends()) {
        try (Optimizer optimizer =
            Sgd.builder(List.of(p))
                .backend(backend)
                .options(o -> o.clipGradAdaptive(0.1))
                .build()) {
          var e = assertThrows(IllegalStateException.class, optimizer::step);
          assertTrue(
              e.getMessage()
                  .startsWith(
                      "clipGradAdaptive is 0.1, but backend " + backend.name() + " cannot clip"),
              e.getMessage());
        }
      }
    }
  }
}
