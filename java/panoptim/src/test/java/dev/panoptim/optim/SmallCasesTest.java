package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// p = (1, -2) after three gradients, compared with PyTorch in float64, and the names of the
/// states.
class SmallCasesTest {
  private static final float[][] GRADIENTS = {{0.5f, -1.5f}, {0.25f, -1}, {-1, 0.5f}};

  private static final Map<String, Goldens.Golden> GOLDENS = Goldens.all();

  /// Three steps in float32 have a few roundings of 6e-8 each, of a number near 1.
  private static final double TOLERANCE = 5e-7;

  static List<Case> cases() {
    return OptimizerCases.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void agreesWithPyTorch(Case tested) {
    try (Parameters parameters = Parameters.builder().add("p", tested.shape().apply(2)).build();
        Optimizer optimizer = tested.builder().apply(parameters).build()) {
      Parameter p = parameters.get("p");
      p.data().setAtIndex(JAVA_FLOAT, 0, 1);
      p.data().setAtIndex(JAVA_FLOAT, 1, -2);
      float[] trajectory = new float[GRADIENTS.length];
      for (int step = 0; step < GRADIENTS.length; step++) {
        p.gradient().setAtIndex(JAVA_FLOAT, 0, GRADIENTS[step][0]);
        p.gradient().setAtIndex(JAVA_FLOAT, 1, GRADIENTS[step][1]);
        optimizer.step();
        trajectory[step] = p.data().getAtIndex(JAVA_FLOAT, 0);
      }
      Goldens.Golden golden = GOLDENS.get(tested.name());
      if (golden != null) {
        assertEquals(golden.first(), trajectory[0], TOLERANCE);
        assertEquals(golden.third(), trajectory[2], TOLERANCE);
      }
      assertEquals(tested.states(), List.copyOf(optimizer.state(p).keySet()));
      assertEquals(3, optimizer.stepCount(p));
    }
  }
}
