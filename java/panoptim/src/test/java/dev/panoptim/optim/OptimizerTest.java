package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Hyperparameter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The behaviour of an optimizer besides its formula.
class OptimizerTest {
  static List<Case> cases() {
    return OptimizerCases.cases();
  }

  private static void fill(MemorySegment segment, float value) {
    for (long i = 0; i < segment.byteSize() / Float.BYTES; i++) {
      segment.setAtIndex(JAVA_FLOAT, i, value + i);
    }
  }

  private static float first(Parameter parameter) {
    return parameter.data().getAtIndex(JAVA_FLOAT, 0);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void skipsParametersWithoutAGradient(Case tested) {
    try (Arena arena = Arena.ofConfined();
        Parameters others = Parameters.builder().add("other", 1, 3).build()) {
      Parameter bare = Parameter.of("bare", 3, arena.allocate(12, 4)).withShape(1, 3);
      fill(bare.data(), 1);
      fill(others.get("other").gradient(), 1);
      try (Optimizer optimizer =
          tested.builder().apply(List.of(bare, others.get("other"))).build()) {
        optimizer.step();
        if (tested.firstStepOnlyMeasures()) {
          optimizer.step();
        }
        long steps = tested.firstStepOnlyMeasures() ? 2 : 1;
        assertEquals(1, first(bare));
        assertTrue(optimizer.state(bare).isEmpty());
        assertEquals(0, optimizer.stepCount(bare));
        assertNotEquals(0, first(others.get("other")));
        assertEquals(steps, optimizer.stepCount(others.get("other")));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void countsTheStepsOfEachParameterSeparately(Case tested) {
    try (Parameters both = Parameters.builder().add("late", 1, 5).add("early", 1, 5).build();
        Parameters alone = Parameters.builder().add("late", 1, 5).build()) {
      MemorySegment gradient = both.get("late").gradient();
      fill(gradient, 0.5f);
      fill(both.get("early").gradient(), 0.25f);
      fill(alone.get("late").gradient(), 0.5f);
      fill(both.get("late").data(), 2);
      fill(alone.get("late").data(), 2);
      both.get("late").removeGradient();
      try (Optimizer together = tested.builder().apply(both).build();
          Optimizer fresh = tested.builder().apply(alone).build()) {
        together.step();
        together.step();
        both.get("late").setGradient(gradient);
        together.step();
        together.step();
        fresh.step();
        fresh.step();
        assertEquals(2, together.stepCount(both.get("late")));
        assertEquals(4, together.stepCount(both.get("early")));
        assertNull(
            Problem.difference(
                Problem.bits(fresh, alone.all()),
                Problem.bits(together, List.of(both.get("late")))));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void anEmptyTensorCountsItsStep(Case tested) {
    try (Parameters parameters = Parameters.builder().add("empty", 1, 0).build();
        Optimizer optimizer = tested.builder().apply(parameters).build()) {
      optimizer.step();
      assertEquals(1, optimizer.stepCount(parameters.get("empty")));
    }
  }

  @Test
  void returnsTheLossOfTheClosureFromBeforeTheUpdate() {
    try (Parameters parameters = Parameters.builder().add("p", 1).build();
        Optimizer optimizer = Sgd.builder(parameters).learningRate(1).build()) {
      Parameter p = parameters.get("p");
      fill(p.data(), 3);
      double loss =
          optimizer.step(
              () -> {
                fill(p.gradient(), 1);
                return first(p);
              });
      assertEquals(3, loss);
      assertEquals(2, first(p));
      IllegalStateException thrown = new IllegalStateException("no loss");
      assertEquals(
          thrown,
          assertThrows(
              IllegalStateException.class,
              () ->
                  optimizer.step(
                      () -> {
                        throw thrown;
                      })));
      assertEquals(2, first(p));
    }
  }

  @Test
  void zeroGradZeroesAllOrNothing() {
    try (Arena arena = Arena.ofConfined()) {
      Parameter plain = Parameter.of("plain", 2, arena.allocate(8, 4), arena.allocate(8, 4));
      Parameter readOnly =
          Parameter.of("fixed", 2, arena.allocate(8, 4), arena.allocate(8, 4).asReadOnly());
      fill(plain.gradient(), 1);
      try (Optimizer optimizer = Sgd.builder(List.of(plain, readOnly)).build()) {
        var e = assertThrows(IllegalArgumentException.class, optimizer::zeroGrad);
        assertEquals("gradient of 'fixed' is read-only, but will be written", e.getMessage());
        assertEquals(1, plain.gradient().getAtIndex(JAVA_FLOAT, 0));
        readOnly.removeGradient();
        optimizer.zeroGrad();
        assertArrayEquals(new float[2], plain.gradient().toArray(JAVA_FLOAT));
      }
    }
  }

  @Test
  void groupsHaveTheirOwnHyperparametersWhichMayChange() {
    try (Parameters parameters = Parameters.builder().add("a", 1).add("b", 1).build();
        Optimizer optimizer =
            Sgd.builder(List.of(parameters.get("a")))
                .learningRate(1)
                .group(List.of(parameters.get("b")), Map.of(Hyperparameter.LEARNING_RATE, 0.5))
                .build()) {
      fill(parameters.get("a").gradient(), 1);
      fill(parameters.get("b").gradient(), 1);
      optimizer.step();
      assertEquals(-1, first(parameters.get("a")));
      assertEquals(-0.5f, first(parameters.get("b")));
      ParameterGroup group = optimizer.paramGroups().get(1);
      assertEquals(List.of(parameters.get("b")), group.parameters());
      group.setLearningRate(2);
      group.set(Hyperparameter.WEIGHT_DECAY, 1);
      optimizer.step();
      assertEquals(-2, first(parameters.get("a")));
      assertEquals(-1.5f, first(parameters.get("b")));
    }
  }

  @Test
  void refusesWrongArguments() {
    try (Parameters p = Parameters.builder().add("p", 1).build()) {
      assertMessage("threads is 0, but must be from 1 to 1024", () -> Sgd.builder(p).threads(0));
      assertMessage("threads is 1000000", () -> Sgd.builder(p).threads(1_000_000));
      assertMessage("a parameter group is empty", () -> Sgd.builder(List.of()).build());
      assertMessage(
          "parameter 'p' is given twice",
          () -> Sgd.builder(List.of(p.get("p"), p.get("p"))).build());
      assertMessage(
          "parameter 'p' is given twice", () -> Sgd.builder(p).group(p, Map.of()).build());
      try (Parameters same = Parameters.builder().add("p", 1).build()) {
        assertMessage(
            "two parameters named 'p'",
            () -> Sgd.builder(List.of(p.get("p"), same.get("p"))).build());
      }
      assertMessage(
          "momentum is not a hyperparameter of this rule",
          () ->
              Sgd.builder(p)
                  .group(
                      Parameters.builder().add("q", 1).build(),
                      Map.of(Hyperparameter.MOMENTUM, 0.9))
                  .build());
    }
  }

  @Test
  void nesterovsPreconditionsHoldInEveryGroupAndLater() {
    try (Parameters p = Parameters.builder().add("p", 1).build();
        Parameters q = Parameters.builder().add("q", 1).build()) {
      for (var override :
          List.of(Map.of(Hyperparameter.DAMPENING, 0.5), Map.of(Hyperparameter.MOMENTUM, 0.0))) {
        assertMessage(
            "nesterov needs",
            () -> Sgd.builder(p).momentum(0.9).nesterov(true).group(q, override).build());
      }
      try (Optimizer optimizer = Sgd.builder(p).momentum(0.9).nesterov(true).build()) {
        ParameterGroup group = optimizer.paramGroups().getFirst();
        assertMessage("nesterov needs", () -> group.set(Hyperparameter.DAMPENING, 0.5));
        assertEquals(0, group.get(Hyperparameter.DAMPENING));
      }
    }
  }

  @Test
  void withoutMomentumNothingIsDampened() {
    try (Parameters p = Parameters.builder().add("p", 1).build();
        Optimizer optimizer = Sgd.builder(p).learningRate(1).momentum(0.9).dampening(0.5).build()) {
      optimizer.paramGroups().getFirst().set(Hyperparameter.MOMENTUM, 0);
      fill(p.get("p").gradient(), 1);
      optimizer.step();
      optimizer.step();
      assertEquals(-2, first(p.get("p")));
    }
  }

  /// 0 times infinity is NaN; the decay must not be computed as a separate product.
  @Test
  void anInfiniteStateStaysInfinite() {
    for (double beta2 : new double[] {0.5, 0.75, 0.999}) {
      try (Parameters p = Parameters.builder().add("p", 1).build();
          Optimizer optimizer = AdamW.builder(p).betas(0.9, beta2).build()) {
        fill(p.get("p").gradient(), 1e25f);
        optimizer.step();
        fill(p.get("p").gradient(), 1);
        optimizer.step();
        MemorySegment second = optimizer.state(p.get("p")).get("secondMoment");
        assertEquals(Float.POSITIVE_INFINITY, second.getAtIndex(JAVA_FLOAT, 0));
        assertEquals(0, first(p.get("p")));
      }
    }
  }

  @Test
  void anotherGradientBufferAtEveryStepAllocatesNoMemoryForStates() throws Exception {
    try (Parameters p = Parameters.builder().add("p", 4).build();
        Optimizer optimizer = AdamW.builder(p).build()) {
      optimizer.step();
      long before = residentKilobytes();
      for (int i = 0; i < 20_000; i++) {
        p.get("p").setGradient(p.get("p").gradient().asSlice(0));
        optimizer.step();
      }
      // A separate slab for each parameter would take 720 MB.
      assertTrue(residentKilobytes() - before < 300_000, before + " to " + residentKilobytes());
      assertEquals(20_001, optimizer.stepCount(p.get("p")));
    }
  }

  private static long residentKilobytes() throws Exception {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }

  private static void assertMessage(String words, Runnable action) {
    var e = assertThrows(IllegalArgumentException.class, action::run);
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }

  @Test
  void aClosedOptimizerRefusesToStep() {
    try (Parameters parameters = Parameters.builder().add("p", 1).build()) {
      Optimizer optimizer = Adam.builder(parameters).build();
      optimizer.step();
      optimizer.close();
      optimizer.close();
      var e = assertThrows(IllegalStateException.class, optimizer::step);
      assertEquals("the optimizer has been closed", e.getMessage());
      assertThrows(IllegalStateException.class, optimizer::zeroGrad);
      assertThrows(IllegalStateException.class, () -> optimizer.step(() -> 1));
    }
  }

  @Test
  void statesAreReadOnlyViews() {
    try (Parameters parameters = Parameters.builder().add("p", 4).build();
        Optimizer optimizer = AdamW.builder(parameters).build()) {
      optimizer.step();
      Map<String, MemorySegment> states = optimizer.state(parameters.get("p"));
      assertFalse(states.isEmpty());
      states.values().forEach(state -> assertTrue(state.isReadOnly()));
    }
  }
}
