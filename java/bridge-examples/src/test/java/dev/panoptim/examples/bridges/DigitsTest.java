package dev.panoptim.examples.bridges;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DigitsTest {
  @Test
  void theSameSeedDrawsTheSamePictures() {
    Digits first = Digits.generate(50, 7);
    Digits again = Digits.generate(50, 7);
    Digits other = Digits.generate(50, 8);
    assertArrayEquals(first.pixels(0, 50), again.pixels(0, 50));
    assertArrayEquals(first.labels(0, 50), again.labels(0, 50));
    assertFalse(Arrays.equals(first.pixels(0, 50), other.pixels(0, 50)));
    assertFalse(Arrays.equals(first.labels(0, 50), other.labels(0, 50)));
  }

  @Test
  void classesOccurEquallyOften() {
    int[] counts = new int[Digits.CLASSES];
    for (int label : Digits.generate(200, 3).labels(0, 200)) {
      counts[label]++;
    }
    for (int count : counts) {
      assertEquals(20, count);
    }
  }

  @Test
  void pixelsAreFromZeroToOne() {
    for (float pixel : Digits.generate(100, 5).pixels(0, 100)) {
      assertTrue(pixel >= 0 && pixel <= 1, () -> "pixel " + pixel);
    }
  }

  @Test
  void rangesAreWholePictures() {
    Digits digits = Digits.generate(30, 2);
    float[] all = digits.pixels(0, 30);
    assertArrayEquals(
        Arrays.copyOfRange(all, 10 * Digits.PIXELS, 12 * Digits.PIXELS), digits.pixels(10, 12));
    assertArrayEquals(Arrays.copyOfRange(digits.labels(0, 30), 10, 12), digits.labels(10, 12));
  }

  /// The pictures can be told apart: the nearest mean of a class is right more often than not.
  @Test
  void picturesOfAClassAreAlike() {
    Digits training = Digits.generate(2000, 1);
    double[][] means = new double[Digits.CLASSES][Digits.PIXELS];
    for (int i = 0; i < training.count(); i++) {
      float[] picture = training.pixels(i, i + 1);
      double[] mean = means[training.labels(i, i + 1)[0]];
      for (int j = 0; j < picture.length; j++) {
        mean[j] += picture[j] * Digits.CLASSES / training.count();
      }
    }
    Digits test = Digits.generate(500, 2);
    float[] scores = new float[test.count() * Digits.CLASSES];
    for (int i = 0; i < test.count(); i++) {
      float[] picture = test.pixels(i, i + 1);
      for (int c = 0; c < Digits.CLASSES; c++) {
        for (int j = 0; j < picture.length; j++) {
          scores[i * Digits.CLASSES + c] -= (float) Math.pow(picture[j] - means[c][j], 2);
        }
      }
    }
    double accuracy = test.accuracy(scores);
    assertTrue(accuracy > 0.5 && accuracy < 0.99, () -> "accuracy " + accuracy);
  }

  @Test
  void accuracyCountsTheBestScore() {
    Digits digits = Digits.generate(10, 4);
    int[] labels = digits.labels(0, 10);
    float[] scores = new float[100];
    for (int i = 0; i < 10; i++) {
      scores[10 * i + (i < 7 ? labels[i] : (labels[i] + 1) % 10)] = 1;
    }
    assertEquals(0.7, digits.accuracy(scores));
    assertThrows(IllegalArgumentException.class, () -> digits.accuracy(new float[99]));
  }
}
