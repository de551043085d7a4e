package dev.panoptim.memory;

import static dev.panoptim.Illegal.assertSays;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Sgd;
import dev.panoptim.optim.StateDict;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Shapes of parameters.
class ShapeTest {
  private static Parameter ofSize(long size) {
    return Parameters.builder().add("w", size).build().get("w");
  }

  @Test
  void aShapeIsKept() {
    try (Parameters parameters =
        Parameters.builder().add("matrix", 3, 4).add("vector", 5).add("empty", 2, 0, 7).build()) {
      assertEquals(List.of(3L, 4L), parameters.get("matrix").shape());
      assertEquals(12, parameters.get("matrix").size());
      assertEquals(12, parameters.get("matrix").gradient().byteSize() / Float.BYTES);
      assertEquals(List.of(5L), parameters.get("vector").shape());
      assertEquals(List.of(2L, 0L, 7L), parameters.get("empty").shape());
      assertEquals(0, parameters.get("empty").size());
    }
  }

  @Test
  void anotherShapeIsOfTheSameMemory() {
    Parameter flat = ofSize(12);
    Parameter shaped = flat.withShape(3, 4);
    assertEquals(List.of(12L), flat.shape());
    assertEquals(List.of(3L, 4L), shaped.shape());
    assertSame(flat.data(), shaped.data());
    assertSame(flat.gradient(), shaped.gradient());
    assertEquals("w", shaped.name());
    flat.removeGradient();
    assertFalse(flat.withShape(12).hasGradient());
    assertEquals(List.of(), ofSize(1).withShape().shape());
  }

  @Test
  void aWrongShapeIsRefused() {
    Parameter parameter = ofSize(12);
    for (long[] wrong : new long[][] {{}, {3}, {3, 5}, {3, 4, 0}, {1L << 32, 1L << 32}}) {
      assertSays("shape of 'w' is", () -> parameter.withShape(wrong));
    }
    assertSays(
        "shape of 'w' is [-3, -4], but every extent must be 0 or more",
        () -> parameter.withShape(-3, -4));
    Parameters.Builder builder = Parameters.builder();
    assertSays("shape of 'v' has no extent", () -> builder.add("v"));
    assertSays("shape of 'v' is [2, -1]", () -> builder.add("v", 2, -1));
    assertSays(
        "which has more than 9223372036854775807 elements",
        () -> builder.add("v", 1L << 40, 1L << 40, 3));
    assertSays(
        "size of 'v' is 4611686018427387904 elements", () -> builder.add("v", 1L << 31, 1L << 31));
    assertEquals(0, builder.add("v", 1L << 40, 1L << 40, 0).build().get("v").size());
  }

  @Test
  void aStateDictOfAnotherMatrixIsRefused() {
    Parameter matrix = ofSize(12).withShape(3, 4);
    Parameter transposed = ofSize(12).withShape(4, 3);
    Parameter flat = ofSize(12);
    try (Optimizer from = Sgd.builder(List.of(matrix)).momentum(0.9).build();
        Optimizer toTransposed = Sgd.builder(List.of(transposed)).momentum(0.9).build();
        Optimizer toFlat = Sgd.builder(List.of(flat)).momentum(0.9).build()) {
      from.step();
      StateDict state = from.stateDict();
      assertEquals(List.of(3L, 4L), state.parameters().get("w").shape());
      assertEquals(12, state.parameters().get("w").size());
      assertEquals(
          List.of("'w' has the shape [3, 4], but [4, 3] in the optimizer"),
          toTransposed.differences(state, Map.of()));
      assertSays("has the shape [3, 4]", () -> toTransposed.loadStateDict(state));
      assertEquals(0, toTransposed.stepCount(transposed));
      toFlat.loadStateDict(state);
      assertEquals(1, toFlat.stepCount(flat));
      from.loadStateDict(toFlat.stateDict());
    }
  }
}
