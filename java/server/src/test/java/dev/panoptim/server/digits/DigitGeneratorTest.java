package dev.panoptim.server.digits;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class DigitGeneratorTest {
  @Test
  void theSameSeedDrawsTheSame() {
    DigitGenerator one = new DigitGenerator(5);
    DigitGenerator two = new DigitGenerator(5);
    for (int digit = 0; digit < DigitGenerator.digits(); digit++) {
      assertEquals(one.draw(digit), two.draw(digit));
      assertArrayEquals(one.pixels(digit), two.pixels(digit));
    }
  }

  @Test
  void drawingsOfOneDigitDiffer() {
    DigitGenerator generator = new DigitGenerator(5);
    assertNotEquals(generator.draw(3), generator.draw(3));
  }

  @Test
  void greyValuesAreFromZeroToOne() {
    DigitGenerator generator = new DigitGenerator(6);
    for (int i = 0; i < 200; i++) {
      float sum = 0;
      for (float grey : generator.pixels(i % 10)) {
        assertTrue(grey >= 0 && grey <= 1, "grey value " + grey);
        sum += grey;
      }
      assertTrue(sum > 15, "ink " + sum);
    }
  }

  @Test
  void unknownDigitsAreRefused() {
    DigitGenerator generator = new DigitGenerator(7);
    assertThrows(IllegalArgumentException.class, () -> generator.draw(10));
    assertThrows(IllegalArgumentException.class, () -> generator.draw(-1));
  }

  @Test
  void driftGoesToBothSidesAndBack() {
    Drift drift = new Drift(1, 0.5, 400);
    assertEquals(0, drift.after(0).angle(), 1e-12);
    assertEquals(1, drift.after(100).angle(), 1e-12);
    assertEquals(-0.5, drift.after(300).slant(), 1e-12);
    assertEquals(0, drift.after(400).angle(), 1e-12);
  }
}
