package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Shapes, batches, refusals and factors of [Adafactor]. [MatrixCases] has the cases of the general
/// tests.
class AdafactorTest {
  private static final long SEED = 20261129;
  private static final long[][] SHAPES = {
    {5, 40}, {40, 5}, {1, 30}, {30, 1}, {8, 3, 2, 2}, {17}, {1}, {0, 4}, {3, 0, 2}
  };

  private static Parameters parameters(long[]... shapes) {
    Parameters.Builder builder = Parameters.builder();
    for (int i = 0; i < shapes.length; i++) {
      builder.add("p" + i, shapes[i]);
    }
    Parameters built = builder.build();
    built.forEach(each -> fill(each.data(), each.name().hashCode()));
    return built;
  }

  private static void fill(MemorySegment segment, long stream) {
    SplittableRandom random = new SplittableRandom(SEED + 99 * stream);
    for (long i = 0; i < segment.byteSize() / Float.BYTES; i++) {
      segment.setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
    }
  }

  private static void fillGradients(Iterable<Parameter> parameters, int step) {
    parameters.forEach(each -> fill(each.gradient(), each.name().hashCode() + 1000L * step));
  }

  private static void steps(Optimizer optimizer, Iterable<Parameter> parameters, int count) {
    for (int step = 1; step <= count; step++) {
      fillGradients(parameters, step);
      optimizer.step();
    }
  }

  private static double rootMeanSquare(MemorySegment data) {
    double sum = 0;
    for (float each : data.toArray(JAVA_FLOAT)) {
      sum += (double) each * each;
    }
    return Math.sqrt(sum * Float.BYTES / data.byteSize());
  }

  @Test
  void statesHaveTheShapesOfPyTorch() {
    try (Parameters all = parameters(SHAPES);
        Optimizer optimizer = Adafactor.builder(all).build()) {
      steps(optimizer, all, 1);
      StateDict saved = optimizer.stateDict();
      Map<String, StateDict.ParameterState> states = saved.parameters();
      assertEquals(SHAPES.length, states.size());
      assertEquals(List.of(5L, 1L), states.get("p0").shapeOf("rowMeans"));
      assertEquals(List.of(1L, 40L), states.get("p0").shapeOf("columnMeans"));
      assertEquals(List.of(0L), states.get("p0").shapeOf("secondMoment"));
      assertEquals(List.of(8L, 3L, 2L, 1L), states.get("p4").shapeOf("rowMeans"));
      assertEquals(List.of(8L, 3L, 1L, 2L), states.get("p4").shapeOf("columnMeans"));
      assertEquals(List.of(17L), states.get("p5").shapeOf("secondMoment"));
      assertEquals(List.of(0L), states.get("p5").shapeOf("rowMeans"));
      assertEquals(1, optimizer.state(all.get("p6")).get("secondMoment").byteSize() / Float.BYTES);
      assertEquals(5, optimizer.state(all.get("p0")).get("rowMeans").byteSize() / Float.BYTES);
    }
  }

  /// Without factors of the whole tensor, each matrix is stepped as if it were alone.
  @Test
  void eachMatrixOfATensorIsFactoredByItself() {
    for (Backend backend : Problem.backends()) {
      try (Parameters whole = parameters(new long[] {2, 3, 20, 30});
          Arena arena = Arena.ofShared()) {
        Parameter tensor = whole.get("p0");
        List<Parameter> parts =
            IntStream.range(0, 6)
                .mapToObj(
                    i ->
                        Parameter.of(
                                "part" + i,
                                600,
                                arena
                                    .allocate(2400, 64)
                                    .copyFrom(tensor.data().asSlice(i * 2400L, 2400)),
                                arena.allocate(2400, 64))
                            .withShape(20, 30))
                .toList();
        try (Optimizer one = absolute(whole).backend(backend).build();
            Optimizer each = absolute(parts).backend(backend).build()) {
          for (int step = 1; step <= 4; step++) {
            fillGradients(whole, step);
            for (int i = 0; i < 6; i++) {
              parts.get(i).gradient().copyFrom(tensor.gradient().asSlice(i * 2400L, 2400));
            }
            one.step();
            each.step();
          }
          for (int i = 0; i < 6; i++) {
            assertEquals(-1, parts.get(i).data().mismatch(tensor.data().asSlice(i * 2400L, 2400)));
          }
        }
      }
    }
  }

  private static Adafactor.Builder absolute(Iterable<Parameter> parameters) {
    return Adafactor.builder(parameters)
        .learningRate(0.01)
        .weightDecay(0.1)
        .scaleParameter(false)
        .relativeStep(false)
        .clipThreshold(Float.MAX_VALUE);
  }

  @Test
  void theFactorIsTheSizeOfTheParameterOverThatOfTheDirection() {
    try (Parameters all = parameters(SHAPES);
        Optimizer optimizer =
            Adafactor.builder(all).learningRate(0).clipThreshold(Float.MAX_VALUE).build();
        Optimizer clipped = Adafactor.builder(all).learningRate(0).scaleParameter(false).build()) {
      all.get("p1").data().fill((byte) 0);
      for (int step = 1; step <= 3; step++) {
        fillGradients(all, step);
        optimizer.step();
        clipped.step();
        for (Parameter each : all) {
          double size = each.size() == 0 ? 0 : rootMeanSquare(each.data());
          double factor = optimizer.report().factor(each);
          assertEquals(Math.max(1e-3, size), factor, 1e-12, each.name());
          assertTrue(clipped.report().factor(each) <= 1, each.name());
        }
      }
      // A later gradient that is large beside the average of all so far.
      for (int i = 0; i < 200; i++) {
        all.get("p0").gradient().setAtIndex(JAVA_FLOAT, i, 1e6f);
      }
      clipped.step();
      assertTrue(clipped.report().factor(all.get("p0")) < 0.9, "seed " + SEED);
    }
  }

  /// More elements than a batch has.
  @Test
  void parametersOfSeveralBatchesAreSteppedAsIfAlone() {
    long[][] shapes = {{700, 1000}, {3, 5}, {600, 1000}, {2000}, {1200, 1000}, {7}};
    for (Backend backend : List.of(Problem.backends().getFirst())) {
      try (Parameters together = parameters(shapes);
          Parameters apart = parameters(shapes);
          Optimizer one =
              Adafactor.transformers(together)
                  .backend(backend)
                  .averageParameters(0.9)
                  .publish()
                  .build()) {
        steps(one, together, 2);
        one.publication()
            .read(
                published -> {
                  together.forEach(
                      each -> assertEquals(-1, published.data(each.name()).mismatch(each.data())));
                  return null;
                });
        for (Parameter each : apart) {
          try (Optimizer alone =
              Adafactor.transformers(List.of(each))
                  .backend(backend)
                  .averageParameters(0.9)
                  .build()) {
            steps(alone, List.of(each), 2);
            Parameter same = together.get(each.name());
            assertNull(
                Problem.difference(
                    Problem.bits(alone, List.of(each)), Problem.bits(one, List.of(same))));
          }
        }
        assertEquals(shapes.length, one.report().updatedParameters());
      }
    }
  }

  /// A choice of some parameters has other batches than the whole group.
  @Test
  void someParametersNeedNoLargerWorkspaceThanTheWholeGroup() {
    long[][] shapes = {{500_000, 1}, {600_000, 1}, {500_000, 1}, {3, 5}};
    try (Parameters together = parameters(shapes);
        Parameters apart = parameters(shapes);
        Optimizer one = Adafactor.builder(together).build();
        Optimizer other = Adafactor.builder(apart).build()) {
      fillGradients(together, 1);
      fillGradients(apart, 1);
      one.step();
      other.step(apart.get("p0"), apart.get("p2"), apart.get("p3"));
      other.step(apart.get("p1"));
      assertNull(
          Problem.difference(Problem.bits(one, together.all()), Problem.bits(other, apart.all())));
    }
  }

  /// Transformers' weight decay has the learning rate of the step.
  @Test
  void theDecayOfTransformersIsLimitedWithTheLearningRate() {
    for (boolean scaled : new boolean[] {false, true}) {
      try (Parameters limited = parameters(new long[] {2, 2});
          Parameters unlimited = parameters(new long[] {2, 2});
          Optimizer one =
              Adafactor.transformers(limited)
                  .learningRate(1)
                  .weightDecay(0.5)
                  .scaleParameter(scaled)
                  .build();
          Optimizer other =
              Adafactor.builder(unlimited)
                  .learningRate(1)
                  .weightDecay(0.5)
                  .scaleParameter(scaled)
                  .build()) {
        // With gradients of 0, only the decay moves parameters.
        for (int step = 1; step <= 4; step++) {
          float before = limited.get("p0").data().getAtIndex(JAVA_FLOAT, 1);
          double size = scaled ? rootMeanSquare(limited.get("p0").data()) : 1;
          one.step();
          float after = limited.get("p0").data().getAtIndex(JAVA_FLOAT, 1);
          assertEquals(1 - 0.5 * size / Math.sqrt(step), after / before, 1e-6);
          float start = unlimited.get("p0").data().getAtIndex(JAVA_FLOAT, 1);
          other.step();
          assertEquals(0.5, unlimited.get("p0").data().getAtIndex(JAVA_FLOAT, 1) / start, 1e-6);
        }
      }
    }
  }

  /// The square of such an epsilon is 0 as a float.
  @Test
  void aZeroGradientIsNotDividedByATinyEpsilon() {
    try (Parameters all = parameters(new long[] {17}, new long[] {4, 5});
        Optimizer optimizer = Adafactor.builder(all).epsilon(1e-30).build()) {
      fillGradients(all, 1);
      all.forEach(each -> each.gradient().setAtIndex(JAVA_FLOAT, 3, 0));
      optimizer.step();
      for (Parameter each : all) {
        for (float value : each.data().toArray(JAVA_FLOAT)) {
          assertTrue(Float.isFinite(value), each.name());
        }
      }
    }
  }

  /// The product of the other extents does not fit into a long.
  @Test
  void aParameterWithoutElementsMayHaveAnyExtents() {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment nothing = arena.allocate(0);
      Parameter empty = Parameter.of("p", 0, nothing, arena.allocate(0)).withShape(0, 1L << 62, 8);
      try (Optimizer one = Adafactor.builder(List.of(empty)).build();
          Optimizer two =
              Muon.builder(List.of(empty)).options(o -> o.clipGradAdaptive(0.1)).build()) {
        one.step();
        two.step();
        assertEquals(1, one.stepCount(empty));
      }
    }
  }

  /// Clipping by value, the scale and zeroing act on gradients, not on directions.
  @Test
  void gradientsAreTreatedBeforeTheirSquares() {
    try (Parameters treated = parameters(SHAPES);
        Parameters plain = parameters(SHAPES);
        Optimizer one =
            Adafactor.builder(treated)
                .options(o -> o.gradientScale(0.5).clipGradValue(0.125).zeroGrad(true))
                .build();
        Optimizer other = Adafactor.builder(plain).build()) {
      for (int step = 1; step <= 3; step++) {
        fillGradients(treated, step);
        fillGradients(plain, step);
        for (Parameter each : plain) {
          for (long i = 0; i < each.size(); i++) {
            float scaled = 0.5f * each.gradient().getAtIndex(JAVA_FLOAT, i);
            each.gradient().setAtIndex(JAVA_FLOAT, i, Math.clamp(scaled, -0.125f, 0.125f));
          }
        }
        one.step();
        other.step();
        assertEquals(0, treated.get("p0").gradient().getAtIndex(JAVA_FLOAT, 0));
      }
      assertNull(
          Problem.difference(Problem.bits(other, plain.all()), Problem.bits(one, treated.all())));
    }
  }

  @Test
  void aSkippedStepChangesNothing() {
    try (Parameters all = parameters(SHAPES);
        Optimizer optimizer =
            Adafactor.builder(all).options(o -> o.skipNonFinite(true).clipGradNorm(1)).build()) {
      steps(optimizer, all, 2);
      Map<String, int[]> before = Problem.bits(optimizer, all.all());
      all.get("p1").gradient().setAtIndex(JAVA_FLOAT, 0, Float.POSITIVE_INFINITY);
      optimizer.step();
      assertTrue(optimizer.report().skipped());
      assertNull(Problem.difference(before, Problem.bits(optimizer, all.all())));
    }
  }

  @Test
  void aGradientThatIsNotFiniteAffectsNoOtherTensor() {
    for (Backend backend : Problem.backends()) {
      try (Parameters all = parameters(SHAPES);
          Optimizer optimizer = Adafactor.builder(all).backend(backend).build()) {
        fillGradients(all, 1);
        all.get("p4").gradient().setAtIndex(JAVA_FLOAT, 3, Float.NaN);
        optimizer.step();
        for (Parameter each : all) {
          for (float value : each.data().toArray(JAVA_FLOAT)) {
            assertEquals(each.name().equals("p4"), Float.isNaN(value), each.name());
          }
        }
      }
    }
  }

  /// No state that the elementwise steps do not use may be overwritten by a gradient either.
  @Test
  void aGradientInTheMemoryOfAStateIsRefused() {
    for (String state : List.of("rowMeans", "columnMeans", "firstMoment")) {
      try (Parameters all = parameters(new long[] {20, 30}, new long[] {20, 30});
          Optimizer optimizer = Adafactor.builder(all).beta1(0.9).build()) {
        steps(optimizer, all, 2);
        Parameter p = all.get("p0");
        Map<String, int[]> before = Problem.bits(optimizer, all.all());
        MemorySegment inside =
            MemorySegment.ofAddress(optimizer.state(all.get("p1")).get(state).address())
                .reinterpret(2400);
        p.setGradient(inside);
        var e = assertThrows(IllegalArgumentException.class, optimizer::step);
        assertTrue(e.getMessage().contains("overlap"), e.getMessage());
        assertNull(Problem.difference(before, Problem.bits(optimizer, all.all())));
      }
    }
  }

  @Test
  void gpuBackendsRefuse() {
    Problem.assertGpuBackendsRefuse("cannot keep means", Adafactor::builder);
  }
}
