package dev.panoptim.optim;

import static dev.panoptim.Illegal.assertSays;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Readers get the parameters, or their averages, exactly as they were after one step.
class PublicationTest {
  private static final long[] SIZES = {5, 0, 40_000, 1, 1023, 1025};

  static List<Backend> backends() {
    return Problem.backends();
  }

  static Parameters parameters() {
    Parameters.Builder builder = Parameters.builder();
    for (int i = 0; i < SIZES.length; i++) {
      builder.add("p" + i, SIZES[i]);
    }
    return builder.build();
  }

  private static void fillGradients(Parameters parameters, SplittableRandom random) {
    for (Parameter each : parameters) {
      float[] numbers = new float[(int) each.size()];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = (float) random.nextGaussian();
      }
      each.gradient().copyFrom(MemorySegment.ofArray(numbers));
    }
  }

  /// The bytes that a reader must get for some floats.
  private static byte[] expected(MemorySegment floats, HalfPrecision narrow) {
    if (narrow == null) {
      return floats.toArray(JAVA_BYTE);
    }
    float[] exact = floats.toArray(JAVA_FLOAT);
    short[] rounded = new short[exact.length];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = narrow.round(exact[i]);
    }
    return MemorySegment.ofArray(rounded).toArray(JAVA_BYTE);
  }

  private static void assertPublished(
      Optimizer optimizer,
      Parameters parameters,
      long step,
      HalfPrecision narrow,
      boolean averages) {
    optimizer
        .publication()
        .read(
            published -> {
              assertEquals(step, published.step());
              assertEquals(narrow, published.halfPrecision().orElse(null));
              for (Parameter each : parameters) {
                MemorySegment copy = published.data(each);
                assertTrue(copy.isReadOnly());
                boolean averaged = averages && optimizer.stepCount(each) > 0;
                MemorySegment floats = averaged ? optimizer.average(each) : each.data();
                assertArrayEquals(
                    expected(floats, narrow),
                    copy.toArray(JAVA_BYTE),
                    each.name() + " at step " + step);
              }
              return null;
            });
  }

  private static Optimizer built(
      Parameters p,
      Backend backend,
      int threads,
      HalfPrecision narrow,
      boolean averages,
      boolean surrounded) {
    AdamW.Builder builder =
        AdamW.builder(p)
            .backend(backend)
            .threads(threads)
            .learningRate(0.1)
            .publish(
                options -> {
                  options.averages(averages);
                  if (narrow != null) {
                    options.halfPrecision(narrow);
                  }
                });
    if (averages || surrounded) {
      builder.averageParameters(0.75);
    }
    if (surrounded) {
      builder.halfPrecisionCopy(HalfPrecision.BFLOAT16);
      builder.options(o -> o.clipGradNorm(1).clipGradValue(0.5).zeroGrad(true));
    }
    return builder.build();
  }

  private static void check(
      Backend backend, int threads, HalfPrecision narrow, boolean averages, boolean surrounded) {
    SplittableRandom random = new SplittableRandom(7);
    try (Parameters p = parameters();
        Optimizer optimizer = built(p, backend, threads, narrow, averages, surrounded)) {
      assertPublished(optimizer, p, 0, narrow, averages);
      MemorySegment gradient = p.get("p2").gradient();
      for (int step = 1; step <= 5; step++) {
        fillGradients(p, random);
        if (step == 3) {
          // The parameter does not change, but is published with the others.
          p.get("p2").removeGradient();
        }
        optimizer.step();
        assertPublished(optimizer, p, step, narrow, averages);
        p.get("p2").setGradient(gradient);
      }
      assertEquals(6, optimizer.publication().published());
      assertEquals(0, optimizer.publication().skipped());
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void readersGetTheResultOfTheLastStep(Backend backend) {
    for (int threads : new int[] {1, 2}) {
      for (HalfPrecision narrow :
          new HalfPrecision[] {null, HalfPrecision.BFLOAT16, HalfPrecision.FLOAT16}) {
        for (boolean averages : new boolean[] {false, true}) {
          check(backend, threads, narrow, averages, false);
          check(backend, threads, narrow, averages, true);
        }
      }
    }
  }

  @Test
  void specialNumbersArePublishedAsTheyAre() {
    float[] special = {0f, -0f, Float.MIN_VALUE, 1e38f, Float.POSITIVE_INFINITY, Float.NaN};
    for (Backend backend : backends()) {
      try (Parameters p = Parameters.builder().add("p", special.length).build()) {
        p.get("p").copyDataFrom(MemorySegment.ofArray(special));
        try (Optimizer optimizer = Sgd.builder(p).backend(backend).publish().build()) {
          optimizer.step();
          assertPublishedFloats(optimizer, p);
        }
      }
    }
  }

  private static void assertPublishedFloats(Optimizer optimizer, Parameters p) {
    assertEquals(
        -1L,
        optimizer.publication().<Long>read(found -> found.data("p").mismatch(p.get("p").data())));
  }

  @Test
  void aStepIsTheSameWhetherItPublishesOrNot() {
    Problem problem = new Problem(new long[] {3, 40_000, 0, 1024}, 1, 21, 5, true);
    for (Backend backend : backends()) {
      Case plain = new Case("plain", p -> AdamW.builder(p).averageParameters(0.5), List.of());
      Case publishing =
          new Case(
              "publishing",
              p -> AdamW.builder(p).averageParameters(0.5).publish(o -> o.every(2)),
              List.of());
      assertNull(
          Problem.difference(problem.run(plain, backend, 2), problem.run(publishing, backend, 2)));
    }
  }

  @Test
  void publishesOnlyEveryFewSteps() {
    try (Parameters p = Parameters.builder().add("p", 4).build();
        Optimizer optimizer = Sgd.builder(p).publish(o -> o.every(3)).build()) {
      List<Long> seen = new ArrayList<>();
      for (int i = 0; i < 7; i++) {
        optimizer.step();
        seen.add(optimizer.publication().step());
      }
      assertEquals(List.of(0L, 0L, 3L, 3L, 3L, 6L, 6L), seen);
    }
  }

  @Test
  void aSkippedStepPublishesNothing() {
    try (Parameters p = Parameters.builder().add("p", 2).build();
        Optimizer optimizer =
            Sgd.builder(p).options(o -> o.skipNonFinite(true)).publish().build()) {
      p.get("p").gradient().setAtIndex(JAVA_FLOAT, 1, Float.NaN);
      optimizer.step();
      assertEquals(1, optimizer.publication().published());
      p.get("p").gradient().setAtIndex(JAVA_FLOAT, 1, 1);
      optimizer.step();
      assertEquals(2, optimizer.publication().published());
      assertEquals(1, optimizer.publication().step());
    }
  }

  @Test
  void someParametersAlone() {
    try (Parameters p = parameters();
        Parameters others = Parameters.builder().add("other", 1).build();
        Optimizer optimizer =
            Sgd.builder(p).publish(o -> o.parameters(List.of(p.get("p3"), p.get("p0")))).build()) {
      optimizer.step();
      optimizer
          .publication()
          .read(
              found -> {
                assertEquals(Set.of("p0", "p3"), found.names());
                assertSays("parameter 'p2' is not published", () -> found.data(p.get("p2")));
                assertSays("parameter 'none' is not published", () -> found.data("none"));
                return found.data("p0");
              });
      assertSays(
          "is no parameter of this optimizer",
          () -> Sgd.builder(p).publish(o -> o.parameters(others)).build());
      optimizer.addParamGroup(others, Map.of());
      optimizer.step();
      assertEquals(Set.of("p0", "p3"), optimizer.publication().read(PublishedParameters::names));
      assertEquals(2, optimizer.publication().step());
    }
  }

  @Test
  void anAddedGroupIsPublishedAndEarlierLeasesStayValid() {
    for (Backend backend : backends()) {
      try (Parameters p = parameters();
          Parameters more = Parameters.builder().add("more", 70_000).build();
          Optimizer optimizer =
              Sgd.builder(p).learningRate(1).backend(backend).threads(2).publish().build()) {
        optimizer.step();
        PublicationLease before = optimizer.publication().acquire();
        fillGradients(more, new SplittableRandom(3));
        optimizer.addParamGroup(more, Map.of());
        assertTrue(optimizer.publication().read(PublishedParameters::names).contains("more"));
        assertFalse(before.parameters().names().contains("more"));
        optimizer.step();
        assertEquals(1, before.parameters().step());
        assertEquals(0, before.parameters().data("p0").get(JAVA_FLOAT, 0));
        before.close();
        assertPublished(optimizer, p, 2, null, false);
        assertPublished(optimizer, more, 2, null, false);
      }
    }
  }

  @Test
  void manualChangesArePublishedOnRequest() {
    try (Parameters p = Parameters.builder().add("p", 4).build();
        Optimizer optimizer = Sgd.builder(p).momentum(0.9).publish().build()) {
      optimizer.step();
      StateDict state = optimizer.stateDict();
      optimizer.step();
      p.get("p").data().setAtIndex(JAVA_FLOAT, 2, 42);
      assertEquals(
          0f, optimizer.publication().<Float>read(f -> f.data("p").getAtIndex(JAVA_FLOAT, 2)));
      optimizer.refreshPublication();
      assertPublished(optimizer, p, 2, null, false);
      p.get("p").data().setAtIndex(JAVA_FLOAT, 2, 43);
      optimizer.loadStateDict(state);
      // The state dict and the data are loaded separately, so that loading one does not publish.
      assertEquals(2, optimizer.publication().step());
      optimizer.refreshPublication();
      assertPublished(optimizer, p, 1, null, false);
    }
  }

  @Test
  void withoutPublishNothingIsPublished() {
    try (Parameters p = Parameters.builder().add("p", 4).build();
        Optimizer optimizer = Sgd.builder(p).build()) {
      assertThrows(IllegalStateException.class, optimizer::publication);
      optimizer.refreshPublication();
    }
  }

  @Test
  void badOptionsAreRejected() {
    try (Parameters p = Parameters.builder().add("p", 4).build()) {
      assertSays("steps is 0", () -> Sgd.builder(p).publish(o -> o.every(0)));
      assertSays(
          "buffers is 1, but must be from 2", () -> Sgd.builder(p).publish(o -> o.buffers(1)));
      assertSays("buffers is 65", () -> Sgd.builder(p).publish(o -> o.buffers(65)));
      assertSays("parameters is empty", () -> Sgd.builder(p).publish(o -> o.parameters(List.of())));
      assertSays(
          "averageParameters() has not been called",
          () -> Sgd.builder(p).publish(o -> o.averages(true)).build());
    }
  }

  /// A parameter without a gradient is not in the step's plan, but is copied after the step.
  @Test
  void anUnreadablePublishedParameterIsRejectedBeforeTheStep() {
    for (Backend backend : backends()) {
      Arena arena = Arena.ofShared();
      Parameter frozen = Parameter.of("frozen", 4, arena.allocate(16, 4));
      try (Parameters p = Parameters.builder().add("p", 3).build();
          Optimizer optimizer =
              Sgd.builder(List.of(p.get("p"), frozen))
                  .learningRate(1)
                  .backend(backend)
                  .publish(o -> o.every(2))
                  .build()) {
        p.get("p").gradient().fill((byte) 0x3c);
        optimizer.step();
        optimizer.step();
        arena.close();
        // A step without a publication.
        optimizer.step();
        float before = p.get("p").data().getAtIndex(JAVA_FLOAT, 0);
        var e = assertThrows(IllegalStateException.class, optimizer::step);
        assertTrue(e.getMessage().startsWith("data of 'frozen'"), e.getMessage());
        assertEquals(before, p.get("p").data().getAtIndex(JAVA_FLOAT, 0));
        assertEquals(3, optimizer.stepCount(p.get("p")));
        assertEquals(2, optimizer.publication().step());
      }
    }
  }
}
