package dev.panoptim.server.digits;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class NetworkTest {
  private static final float STEP = 5e-4f;
  private static final int CHECKED = 60;

  private final Network network = new Network();
  private final SplittableRandom random = new SplittableRandom(3);

  @Test
  void probabilitiesSumToOne() {
    try (NetworkParameters parameters = new NetworkParameters(10, 1)) {
      float[] probabilities =
          network.probabilities(parameters.data(), new DigitGenerator(1).pixels(4));
      double sum = 0;
      for (float each : probabilities) {
        assertTrue(each > 0 && each < 1);
        sum += each;
      }
      assertEquals(1, sum, 1e-5);
    }
  }

  @Test
  void gradientsAreThoseOfFiniteDifferences() {
    try (NetworkParameters parameters = new NetworkParameters(10, 1)) {
      // Not 0, where rectified outputs of an empty image have a kink.
      for (int i = 0; i < Network.CHANNELS; i++) {
        float bias = i % 2 == 0 ? 0.1f : -0.1f;
        parameters.data().convolutionBias().setAtIndex(JAVA_FLOAT, i, bias);
      }
      float[] pixels = new DigitGenerator(1).pixels(4);
      network.addGradients(parameters.data(), parameters.gradients(), pixels, 4, 1);
      for (Parameter each : parameters.all()) {
        if (!each.name().startsWith("guard")) {
          check(parameters, each, pixels);
        }
      }
    }
  }

  /// Along one direction for several elements together, because single gradients are too small for
  /// differences of floats.
  private void check(NetworkParameters parameters, Parameter parameter, float[] pixels) {
    double expected = 0;
    double largest = 0;
    int[] places = places(parameter);
    float[] before = new float[places.length];
    for (int i = 0; i < places.length; i++) {
      before[i] = parameter.data().getAtIndex(JAVA_FLOAT, places[i]);
    }
    for (int i = 0; i < places.length; i++) {
      double gradient = parameter.gradient().getAtIndex(JAVA_FLOAT, places[i]);
      expected += Math.abs(gradient);
      largest = Math.max(largest, Math.abs(gradient));
    }
    double up = shifted(parameters, parameter, places, before, STEP, pixels);
    double down = shifted(parameters, parameter, places, before, -STEP, pixels);
    shifted(parameters, parameter, places, before, 0, pixels);
    assertTrue(largest > 0, parameter.name() + " has gradients");
    assertEquals(expected, (up - down) / (2 * STEP), 0.03 * expected + 1e-4, parameter.name());
  }

  /// Different random elements with a gradient.
  private int[] places(Parameter parameter) {
    return random
        .ints(0, (int) parameter.size())
        .limit(100 * parameter.size())
        .filter(at -> parameter.gradient().getAtIndex(JAVA_FLOAT, at) != 0)
        .distinct()
        .limit(CHECKED)
        .toArray();
  }

  /// The loss after a shift of the elements in the direction of their gradients' signs.
  private double shifted(
      NetworkParameters parameters,
      Parameter parameter,
      int[] places,
      float[] before,
      float shift,
      float[] pixels) {
    for (int i = 0; i < places.length; i++) {
      float sign = Math.signum(parameter.gradient().getAtIndex(JAVA_FLOAT, places[i]));
      parameter.data().setAtIndex(JAVA_FLOAT, places[i], before[i] + sign * shift);
    }
    return -Math.log(network.probabilities(parameters.data(), pixels)[4]);
  }

  @Test
  void theShareScalesGradients() {
    try (NetworkParameters parameters = new NetworkParameters(10, 1)) {
      float[] pixels = new DigitGenerator(1).pixels(4);
      network.addGradients(parameters.data(), parameters.gradients(), pixels, 4, 1);
      float whole = parameters.gradients().hiddenBias().getAtIndex(JAVA_FLOAT, 0);
      parameters.all().forEach(each -> each.gradient().fill((byte) 0));
      network.addGradients(parameters.data(), parameters.gradients(), pixels, 4, 0.25f);
      float quarter = parameters.gradients().hiddenBias().getAtIndex(JAVA_FLOAT, 0);
      assertEquals(whole / 4, quarter, 1e-6 * Math.abs(whole) + 1e-9);
    }
  }
}
