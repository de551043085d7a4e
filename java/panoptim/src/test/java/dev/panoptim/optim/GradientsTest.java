package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class GradientsTest {
  private static Parameter parameter(Arena arena, String name, float... gradient) {
    MemorySegment g = arena.allocateFrom(JAVA_FLOAT, gradient);
    return Parameter.of(name, gradient.length, arena.allocate(g.byteSize(), 4), g);
  }

  private static float[] gradient(Parameter parameter) {
    return parameter.gradient().toArray(JAVA_FLOAT);
  }

  @Test
  void clipsToANormOverAllParameters() {
    try (Arena arena = Arena.ofConfined()) {
      Parameter three = parameter(arena, "three", 3, 0);
      Parameter four = parameter(arena, "four", 4);
      Parameter none = Parameter.of("none", 1, arena.allocate(4, 4));
      List<Parameter> all = List.of(three, none, four);
      assertEquals(5, Gradients.clipGradNorm(all, 5));
      assertArrayEquals(new float[] {3, 0}, gradient(three));
      assertEquals(5, Gradients.clipGradNorm(all, 1));
      assertArrayEquals(new float[] {0.6f, 0}, gradient(three), 1e-7f);
      assertArrayEquals(new float[] {0.8f}, gradient(four), 1e-7f);
      four.gradient().setAtIndex(JAVA_FLOAT, 0, Float.NaN);
      assertEquals(Double.NaN, Gradients.clipGradNorm(all, 0.1));
      assertArrayEquals(new float[] {0.6f, 0}, gradient(three), 1e-7f);
      assertEquals(0, Gradients.clipGradNorm(List.of(none), 1));
    }
  }

  @Test
  void clipsValuesOnBothSides() {
    try (Arena arena = Arena.ofConfined()) {
      Parameter p = parameter(arena, "p", -5, -0.5f, 0.5f, 5, Float.NaN, Float.NEGATIVE_INFINITY);
      Gradients.clipGradValue(List.of(p), 1);
      assertArrayEquals(new float[] {-1, -0.5f, 0.5f, 1, Float.NaN, -1}, gradient(p));
    }
  }

  @Test
  void theNormIsThatOfAStepsReport() {
    try (Parameters parameters = Parameters.builder().add("a", 50_001).add("b", 17).build();
        Optimizer optimizer = Sgd.builder(parameters).options(o -> o.skipNonFinite(true)).build()) {
      SplittableRandom random = new SplittableRandom(2);
      for (Parameter each : parameters) {
        for (long i = 0; i < each.size(); i++) {
          each.gradient().setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
        }
      }
      double norm = Gradients.clipGradNorm(parameters, Double.POSITIVE_INFINITY);
      assertEquals(optimizer.step().norm(), norm);
    }
  }

  @Test
  void badArgumentsAndReadOnlyGradientsAreRejectedAndNothingChanges() {
    try (Arena arena = Arena.ofConfined()) {
      Parameter plain = parameter(arena, "plain", 9);
      Parameter fixed = parameter(arena, "fixed", 9);
      fixed.setGradient(fixed.gradient().asReadOnly());
      List<Parameter> all = List.of(plain, fixed);
      for (double bad : new double[] {0, -1, Double.NaN}) {
        assertThrows(
            IllegalArgumentException.class, () -> Gradients.clipGradNorm(List.of(plain), bad));
        assertThrows(
            IllegalArgumentException.class, () -> Gradients.clipGradValue(List.of(plain), bad));
      }
      assertThrows(IllegalArgumentException.class, () -> Gradients.clipGradNorm(all, 1));
      assertThrows(IllegalArgumentException.class, () -> Gradients.clipGradValue(all, 1));
      assertArrayEquals(new float[] {9}, gradient(plain));
    }
  }
}
