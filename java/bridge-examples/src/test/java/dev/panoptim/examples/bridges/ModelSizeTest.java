package dev.panoptim.examples.bridges;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ModelSizeTest {
  @Test
  void sizesAreThoseOfTheDocuments() {
    assertEquals(20, ModelSize.SMALL.tensors());
    assertEquals(107_791, ModelSize.SMALL.parameters());
    assertEquals(100, ModelSize.LARGE.tensors());
    assertEquals(9_775_360, ModelSize.LARGE.parameters());
  }

  @ParameterizedTest
  @EnumSource
  void initialParametersFillAllTensors(ModelSize size) {
    List<float[]> parameters = size.initialParameters(1);
    assertEquals(size.tensors(), parameters.size());
    assertEquals(size.parameters(), parameters.stream().mapToLong(each -> each.length).sum());
    for (int i = 0; i < size.layers(); i++) {
      assertEquals(size.inputs(i) * size.outputs(i), parameters.get(2 * i).length);
      assertArrayEquals(new float[size.outputs(i)], parameters.get(2 * i + 1));
    }
    assertArrayEquals(parameters.get(2), size.initialParameters(1).get(2));
  }
}
