package dev.panoptim.optim;

import static dev.panoptim.optim.MixedSizes.STEPS;
import static dev.panoptim.optim.MixedSizes.built;
import static dev.panoptim.optim.MixedSizes.fill;
import static dev.panoptim.optim.MixedSizes.parameters;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Averages and 16-bit copies of parameters, which a step writes besides the update.
class AveragesAndCopiesTest {
  static List<Case> cases() {
    return MixedCases.withSingle();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void averageAndHalfPrecisionCopyAreThoseOfTheUpdatedParameters(Case tested) {
    for (HalfPrecision type : HalfPrecision.values()) {
      try (Parameters parameters = parameters();
          Optimizer optimizer =
              built(
                  tested,
                  parameters,
                  Backends.named("native"),
                  2,
                  b -> b.averageParameters(0.75).halfPrecisionCopy(type))) {
        SplittableRandom random = new SplittableRandom(9);
        Map<String, float[]> averages = new LinkedHashMap<>();
        for (int step = 0; step < STEPS; step++) {
          parameters.forEach(each -> fill(each.gradient(), random));
          optimizer.step();
          for (Parameter each : parameters) {
            float[] data = each.data().toArray(JAVA_FLOAT);
            float[] average = averages.computeIfAbsent(each.name(), name -> data.clone());
            short[] halfPrecisionCopy = new short[data.length];
            for (int i = 0; i < data.length; i++) {
              average[i] = Math.fma(0.25f, data[i] - average[i], average[i]);
              halfPrecisionCopy[i] = type.round(data[i]);
            }
            assertArrayEquals(average, optimizer.average(each).toArray(JAVA_FLOAT));
            assertArrayEquals(
                halfPrecisionCopy, optimizer.halfPrecisionCopy(each).toArray(JAVA_SHORT));
          }
        }
      }
    }
  }

  @Test
  void aHalfPrecisionCopyExistsAfterLoadingAndInSharedStates(@TempDir Path folder) {
    Consumer<CommonOptions<?>> shared =
        b -> b.halfPrecisionCopy(HalfPrecision.BFLOAT16).sharedStates(folder.resolve("states"));
    Case adam = OptimizerCases.caseOf("adam");
    try (Parameters parameters = parameters();
        Optimizer first =
            built(
                adam,
                parameters,
                Backends.auto(),
                1,
                b -> b.halfPrecisionCopy(HalfPrecision.BFLOAT16));
        Optimizer second =
            built(
                adam,
                parameters,
                Backends.auto(),
                1,
                b -> b.halfPrecisionCopy(HalfPrecision.BFLOAT16));
        Optimizer one = built(adam, parameters, Backends.auto(), 1, shared)) {
      Parameter p = parameters.get("p4");
      fill(p.gradient(), new SplittableRandom(1));
      first.step();
      second.loadStateDict(first.stateDict());
      assertEquals(-1, first.halfPrecisionCopy(p).mismatch(second.halfPrecisionCopy(p)));
      first.step();
      second.loadStateDict(first.stateDict());
      assertEquals(-1, first.halfPrecisionCopy(p).mismatch(second.halfPrecisionCopy(p)));
      one.step();
      try (Optimizer other = built(adam, parameters, Backends.auto(), 1, shared)) {
        assertEquals(-1, one.halfPrecisionCopy(p).mismatch(other.halfPrecisionCopy(p)));
      }
    }
  }

  @Test
  void aRefusedStepLeavesNoHalfPrecisionCopy() {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(16, 4);
      Parameter p = Parameter.of("p", 2, memory.asSlice(0, 8), memory.asSlice(8, 8));
      Parameter q = Parameter.of("q", 2, arena.allocate(8, 4), memory.asSlice(8, 8));
      try (Optimizer optimizer =
          Adam.builder(List.of(p, q)).halfPrecisionCopy(HalfPrecision.BFLOAT16).build()) {
        assertThrows(IllegalArgumentException.class, optimizer::step);
        optimizer.loadStateDict(optimizer.stateDict());
        assertThrows(IllegalStateException.class, () -> optimizer.halfPrecisionCopy(p));
      }
    }
  }

  @Test
  void averagesArePartOfTheStateDict() {
    Case tested = OptimizerCases.caseOf("adamw");
    try (Parameters parameters = parameters();
        Optimizer first =
            built(tested, parameters, Backends.auto(), 1, b -> b.averageParameters(0.5));
        Optimizer second =
            built(tested, parameters, Backends.auto(), 1, b -> b.averageParameters(0.5));
        Optimizer without = built(tested, parameters, Backends.auto(), 1, b -> {})) {
      Parameter p = parameters.get("p3");
      fill(p.gradient(), new SplittableRandom(1));
      first.step();
      first.step();
      second.loadStateDict(first.stateDict());
      assertEquals(-1, first.average(p).mismatch(second.average(p)));
      assertThrows(IllegalArgumentException.class, () -> without.loadStateDict(first.stateDict()));
      without.step();
      assertThrows(IllegalArgumentException.class, () -> first.loadStateDict(without.stateDict()));
    }
  }

  @Test
  void missingAveragesAndCopiesAreRejected() {
    try (Parameters parameters = parameters();
        Optimizer plain = Sgd.builder(parameters).build();
        Optimizer both =
            Sgd.builder(parameters)
                .averageParameters(0.9)
                .halfPrecisionCopy(HalfPrecision.FLOAT16)
                .build()) {
      Parameter p = parameters.get("p1");
      plain.step();
      var average = assertThrows(IllegalStateException.class, () -> plain.average(p));
      assertEquals("parameters are not averaged", average.getMessage());
      assertThrows(IllegalStateException.class, () -> plain.halfPrecisionCopy(p));
      assertThrows(IllegalStateException.class, () -> both.average(p));
      assertThrows(IllegalStateException.class, () -> both.halfPrecisionCopy(p));
      both.step();
      assertTrue(both.average(p).isReadOnly() && both.halfPrecisionCopy(p).isReadOnly());
      for (double decay : new double[] {-0.1, 1, Double.NaN}) {
        assertThrows(
            IllegalArgumentException.class, () -> Sgd.builder(parameters).averageParameters(decay));
      }
    }
  }
}
