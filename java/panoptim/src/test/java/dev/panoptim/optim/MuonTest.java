package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.internal.memory.MemoryBudget;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Adjustment;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Orthogonalization;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Shapes, refusals and memory of [Muon]. [MatrixCases] has the cases of the general tests.
class MuonTest {
  private static final long SEED = 20261128;
  private static final long[][] SHAPES = {
    {5, 40}, {40, 5}, {12, 12}, {1, 30}, {30, 1}, {8, 3, 2, 2}, {4, 2, 9}, {1, 1}
  };

  private static Parameters matrices(long[]... shapes) {
    Parameters.Builder builder = Parameters.builder();
    for (int i = 0; i < shapes.length; i++) {
      builder.add("m" + i, shapes[i]);
    }
    Parameters built = builder.build();
    for (Parameter each : built) {
      fill(each, 0);
    }
    return built;
  }

  /// Numbers that depend on name and step; step 0 is the start.
  private static void fill(Parameter parameter, int step) {
    SplittableRandom random = new SplittableRandom(SEED + parameter.name().hashCode() + 99L * step);
    for (long i = 0; i < parameter.size(); i++) {
      (step == 0 ? parameter.data() : parameter.gradient())
          .setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
    }
  }

  private static void steps(Optimizer optimizer, Iterable<Parameter> parameters, int count) {
    for (int step = 1; step <= count; step++) {
      for (Parameter each : parameters) {
        fill(each, step);
      }
      optimizer.step();
    }
  }

  private static double[] minus(float[] a, float[] b) {
    double[] difference = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      difference[i] = (double) a[i] - b[i];
    }
    return difference;
  }

  /// The sum of the squared singular values, each near 1, is near their number.
  @Test
  void aStepHasTheSizeOfTheAdjustmentOfEachShape() {
    for (Adjustment adjustment : Adjustment.values()) {
      try (Parameters parameters = matrices(SHAPES);
          Optimizer optimizer =
              Muon.builder(parameters)
                  .learningRate(1)
                  .weightDecay(0)
                  .adjustment(adjustment)
                  .coefficients(Orthogonalization.POLAR_EXPRESS)
                  .iterations(12)
                  .build()) {
        Map<Parameter, float[]> before = new LinkedHashMap<>();
        parameters.forEach(each -> before.put(each, each.data().toArray(JAVA_FLOAT)));
        steps(optimizer, parameters, 1);
        before.forEach(
            (each, start) -> {
              double rows = each.shape().getFirst();
              double columns = each.size() / rows;
              double factor =
                  switch (adjustment) {
                    case NONE -> 1;
                    case ORIGINAL -> Math.sqrt(Math.max(1, rows / columns));
                    case MATCH_RMS -> 0.2 * Math.sqrt(Math.max(rows, columns));
                  };
              double[] step = minus(each.data().toArray(JAVA_FLOAT), start);
              double squares = Arrays.stream(step).map(x -> x * x).sum();
              assertEquals(
                  factor * factor,
                  squares / Math.min(rows, columns),
                  1e-3 * factor * factor,
                  adjustment + " of " + each.shape() + ", seed " + SEED);
            });
      }
    }
  }

  /// The gradients of a convolution are those of the matrix of its filters.
  @Test
  void furtherDimensionsAreFlattened() {
    try (Parameters flat = Parameters.builder().add("m", 8, 12).build();
        Parameters convolution = Parameters.builder().add("m", 8, 3, 2, 2).build();
        Optimizer one = Muon.builder(flat).learningRate(0.1).build();
        Optimizer other = Muon.builder(convolution).learningRate(0.1).build()) {
      flat.forEach(each -> fill(each, 0));
      convolution.forEach(each -> fill(each, 0));
      steps(one, flat, 3);
      steps(other, convolution, 3);
      assertNull(
          Problem.difference(
              Problem.bits(one, flat.all()), Problem.bits(other, convolution.all())));
    }
  }

  /// Many matrices of one shape are iterated in batches; other shapes lie between.
  @Test
  void aBatchHasTheBitsOfSeparateMatrices() {
    long[][] shapes = new long[9][];
    for (int i = 0; i < shapes.length; i++) {
      // Of 400 x 700, three fill a batch.
      shapes[i] = i % 2 == 0 ? new long[] {400, 700} : new long[] {7 + i, 5};
    }
    Map<String, int[]> expected = new LinkedHashMap<>();
    for (int i = 0; i < shapes.length; i++) {
      try (Parameters all = Parameters.builder().add("m" + i, shapes[i]).build();
          Optimizer optimizer = Muon.builder(all).learningRate(0.1).build()) {
        all.forEach(each -> fill(each, 0));
        steps(optimizer, all, 2);
        expected.putAll(Problem.bits(optimizer, all.all()));
      }
    }
    try (Parameters all = matrices(shapes);
        Optimizer optimizer = Muon.builder(all).learningRate(0.1).threads(2).build()) {
      steps(optimizer, all, 2);
      assertNull(Problem.difference(expected, Problem.bits(optimizer, all.all())));
    }
  }

  @Test
  void aZeroGradientOnlyDecays() {
    for (Backend backend : Problem.backends()) {
      try (Parameters all = matrices(SHAPES);
          Optimizer optimizer =
              Muon.builder(all).learningRate(0.5).weightDecay(0.5).backend(backend).build()) {
        Map<Parameter, float[]> before = new LinkedHashMap<>();
        all.forEach(each -> before.put(each, each.data().toArray(JAVA_FLOAT)));
        optimizer.step();
        before.forEach(
            (each, start) -> {
              float[] expected = new float[start.length];
              for (int i = 0; i < start.length; i++) {
                expected[i] = start[i] * 0.75f;
              }
              assertArrayEquals(expected, each.data().toArray(JAVA_FLOAT), 1e-7f);
            });
      }
    }
  }

  @Test
  void aGradientThatIsNoNumberMakesOneMatrixNan() {
    for (Backend backend : Problem.backends()) {
      try (Parameters all = matrices(new long[] {4, 6}, new long[] {4, 6});
          Optimizer optimizer = Muon.builder(all).backend(backend).build()) {
        all.forEach(each -> fill(each, 1));
        all.get("m0").gradient().setAtIndex(JAVA_FLOAT, 3, Float.NaN);
        optimizer.step();
        for (int i = 0; i < 24; i++) {
          assertTrue(Float.isNaN(all.get("m0").data().getAtIndex(JAVA_FLOAT, i)));
          assertTrue(Float.isFinite(all.get("m1").data().getAtIndex(JAVA_FLOAT, i)));
        }
      }
    }
  }

  @Test
  void aSkippedStepChangesNothing() {
    try (Parameters all = matrices(SHAPES);
        Optimizer optimizer =
            Muon.builder(all).options(o -> o.skipNonFinite(true).zeroGrad(true)).build()) {
      steps(optimizer, all, 2);
      Map<String, int[]> before = Problem.bits(optimizer, all.all());
      all.get("m1").gradient().setAtIndex(JAVA_FLOAT, 0, Float.POSITIVE_INFINITY);
      optimizer.step();
      assertTrue(optimizer.report().skipped());
      assertNull(Problem.difference(before, Problem.bits(optimizer, all.all())));
      assertEquals(0, all.get("m1").gradient().getAtIndex(JAVA_FLOAT, 0));
    }
  }

  /// Clipping by value, the scale and zeroing act on gradients, not on directions.
  @Test
  void gradientsAreTreatedBeforeTheirOrthogonalization() {
    try (Parameters treated = matrices(SHAPES);
        Parameters plain = matrices(SHAPES);
        Optimizer one =
            Muon.builder(treated)
                .options(o -> o.gradientScale(0.5).clipGradValue(0.125).zeroGrad(true))
                .build();
        Optimizer other = Muon.builder(plain).build()) {
      for (int step = 1; step <= 3; step++) {
        for (Parameter each : treated) {
          fill(each, step);
        }
        for (Parameter each : plain) {
          fill(each, step);
          for (long i = 0; i < each.size(); i++) {
            float scaled = 0.5f * each.gradient().getAtIndex(JAVA_FLOAT, i);
            each.gradient().setAtIndex(JAVA_FLOAT, i, Math.clamp(scaled, -0.125f, 0.125f));
          }
        }
        one.step();
        other.step();
        treated.forEach(each -> assertEquals(0, each.gradient().getAtIndex(JAVA_FLOAT, 0)));
      }
      assertNull(
          Problem.difference(Problem.bits(other, plain.all()), Problem.bits(one, treated.all())));
    }
  }

  /// Parameters, not directions.
  @Test
  void aStepPublishesParameters() {
    for (Backend backend : Problem.backends()) {
      try (Parameters all = matrices(SHAPES);
          Optimizer optimizer = Muon.builder(all).backend(backend).publish().build()) {
        steps(optimizer, all, 2);
        assertEquals(2, optimizer.publication().step());
        optimizer
            .publication()
            .read(
                published -> {
                  for (Parameter each : all) {
                    assertEquals(-1, published.data(each.name()).mismatch(each.data()));
                  }
                  return null;
                });
      }
    }
  }

  /// Both kinds of groups follow one norm of all gradients.
  @Test
  void hiddenMatricesTakePartInTheNormOfAllGradients() {
    try (Parameters all =
            Parameters.builder().add("hidden", 6, 8).add("bias", 6).add("gain", 8).build();
        Optimizer optimizer =
            Optimizer.builder()
                .group(Muon.builder(List.of(all.get("hidden"))).learningRate(0.02))
                .group(AdamW.builder(List.of(all.get("bias"), all.get("gain"))))
                .options(o -> o.clipGradNorm(0.5))
                .build()) {
      all.forEach(each -> fill(each, 1));
      double norm = Gradients.clipGradNorm(all.all(), Double.POSITIVE_INFINITY);
      optimizer.step();
      assertEquals(norm, optimizer.report().norm());
      assertEquals(0.5 / norm, optimizer.report().clipFactor(), 1e-12);
      assertEquals(3, optimizer.report().updatedParameters());
    }
  }

  @Test
  void aVectorIsRefusedByName() {
    try (Parameters all = Parameters.builder().add("hidden", 6, 8).add("bias", 6).build()) {
      var e = assertThrows(IllegalArgumentException.class, () -> Muon.builder(all).build());
      for (String words : List.of("'bias'", "[6]", "two or more dimensions", "AdamW")) {
        assertTrue(e.getMessage().contains(words), e.getMessage());
      }
      Parameter bias = all.get("bias");
      assertThrows(
          IllegalArgumentException.class,
          () -> Muon.builder(List.of(bias.withShape())).build(),
          "a single number");
      try (Optimizer optimizer = Muon.builder(List.of(all.get("hidden"))).build()) {
        var added =
            assertThrows(
                IllegalArgumentException.class,
                () -> optimizer.addParamGroup(List.of(bias), Map.of()));
        assertEquals(e.getMessage(), added.getMessage());
        assertEquals(1, optimizer.paramGroups().size());
        optimizer.addParamGroup(AdamW.builder(List.of(bias)));
        optimizer.step();
        assertEquals(1, optimizer.stepCount(bias));
      }
    }
  }

  @Test
  void gpuBackendsRefuse() {
    Problem.assertGpuBackendsRefuse("cannot orthogonalize", Muon::builder);
  }

  @Test
  void iterationsAreAWholeNumber() {
    try (Parameters all = matrices(SHAPES);
        Optimizer optimizer = Muon.builder(all).build()) {
      ParameterGroup group = optimizer.paramGroups().getFirst();
      var e =
          assertThrows(
              IllegalArgumentException.class, () -> group.set(Hyperparameter.ITERATIONS, 2.5));
      assertEquals("iterations is 2.5, but must be a whole number", e.getMessage());
      assertEquals(5, group.get(Hyperparameter.ITERATIONS));
    }
  }

  /// The data of a parameter are freed. Its average must not change either.
  @Test
  void aStepThatIsRefusedChangesNothing() {
    for (Backend backend : Problem.backends()) {
      Arena closed = Arena.ofShared();
      try (Arena alive = Arena.ofShared()) {
        List<Parameter> all = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
          Arena ofData = i == 0 ? alive : closed;
          Parameter added =
              Parameter.of("m" + i, 12, ofData.allocate(48, 4), alive.allocate(48, 4))
                  .withShape(3, 4);
          fill(added, 0);
          all.add(added);
        }
        try (Optimizer optimizer = Muon.builder(all).backend(backend).build()) {
          steps(optimizer, all, 1);
          Map<String, int[]> before = Problem.bits(optimizer, List.of(all.getFirst()));
          float[] momentum = optimizer.state(all.getLast()).get("firstMoment").toArray(JAVA_FLOAT);
          closed.close();
          var e = assertThrows(IllegalStateException.class, optimizer::step);
          assertTrue(e.getMessage().contains("data of 'm1'"), e.getMessage());
          assertNull(Problem.difference(before, Problem.bits(optimizer, List.of(all.getFirst()))));
          assertArrayEquals(
              momentum, optimizer.state(all.getLast()).get("firstMoment").toArray(JAVA_FLOAT));
          assertEquals(1, optimizer.stepCount(all.getLast()));
        }
      }
    }
  }

  /// The workspace is allocated at the first step, has another size after a group has been added,
  /// and is freed by the optimizer.
  @Test
  void theWorkspaceIsFreed() {
    try (Parameters first = Parameters.builder().add("a", 300, 400).build();
        Parameters second = Parameters.builder().add("b", 500, 600).build()) {
      long before = MemoryBudget.held(MemoryKind.TABLES);
      Optimizer optimizer = Muon.builder(first).backend(Backends.scalar()).threads(1).build();
      optimizer.step();
      long ofOne = MemoryBudget.held(MemoryKind.TABLES) - before;
      assertTrue(ofOne >= 4 * 300 * 400, ofOne + " bytes");
      optimizer.addParamGroup(second, Map.of());
      optimizer.step(second.get("b"));
      optimizer.step();
      long ofTwo = MemoryBudget.held(MemoryKind.TABLES) - before;
      assertTrue(ofTwo >= 4 * 500 * 600, ofTwo + " bytes");
      optimizer.close();
      long after = MemoryBudget.held(MemoryKind.TABLES) - before;
      assertTrue(after < 100_000, after + " bytes");
    }
  }
}
