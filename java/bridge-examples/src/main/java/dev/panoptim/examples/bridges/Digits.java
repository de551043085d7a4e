package dev.panoptim.examples.bridges;

import java.util.Arrays;
import java.util.SplittableRandom;

/// Grey pictures of digits, each moved, scaled, sheared and covered with noise at random.
///
/// Immutable.
public final class Digits {
  /// Number of pixels of a picture, 8 by 8.
  public static final int PIXELS = Glyphs.SIDE * Glyphs.SIDE;

  /// Number of classes.
  public static final int CLASSES = 10;

  // Ranges that let an MLP reach about 98 % and not 100 %.
  private static final double MOST_SHIFT = 1;
  private static final double MOST_SCALING = 0.15;
  private static final double MOST_SHEAR = 0.2;
  private static final double NOISE = 0.2;

  private static final double CENTRE = (Glyphs.SIDE - 1) / 2.0;

  private final float[] pixels;
  private final int[] labels;

  private Digits(float[] pixels, int[] labels) {
    this.pixels = pixels;
    this.labels = labels;
  }

  /// Draws digits. Every class occurs equally often, up to one picture.
  ///
  /// @param count number of pictures, 1 or more
  /// @param seed the same seed draws the same pictures
  public static Digits generate(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] pixels = new float[count * PIXELS];
    int[] labels = new int[count];
    for (int i = 0; i < count; i++) {
      labels[i] = i % CLASSES;
      draw(labels[i], random, pixels, i * PIXELS);
    }
    shuffle(random, pixels, labels);
    return new Digits(pixels, labels);
  }

  private static void draw(int digit, SplittableRandom random, float[] pixels, int at) {
    double right = random.nextDouble(-MOST_SHIFT, MOST_SHIFT);
    double down = random.nextDouble(-MOST_SHIFT, MOST_SHIFT);
    double scale = 1 + random.nextDouble(-MOST_SCALING, MOST_SCALING);
    double shear = random.nextDouble(-MOST_SHEAR, MOST_SHEAR);
    for (int row = 0; row < Glyphs.SIDE; row++) {
      for (int column = 0; column < Glyphs.SIDE; column++) {
        double y = (row - CENTRE - down) / scale;
        double x = (column - CENTRE - right) / scale + shear * y;
        double brightness = Glyphs.brightness(digit, x + CENTRE, y + CENTRE);
        double noisy = brightness + NOISE * random.nextGaussian();
        pixels[at + row * Glyphs.SIDE + column] = (float) Math.clamp(noisy, 0.0, 1.0);
      }
    }
  }

  private static void shuffle(SplittableRandom random, float[] pixels, int[] labels) {
    float[] held = new float[PIXELS];
    for (int i = labels.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      System.arraycopy(pixels, i * PIXELS, held, 0, PIXELS);
      System.arraycopy(pixels, j * PIXELS, pixels, i * PIXELS, PIXELS);
      System.arraycopy(held, 0, pixels, j * PIXELS, PIXELS);
      int label = labels[i];
      labels[i] = labels[j];
      labels[j] = label;
    }
  }

  /// Number of pictures.
  public int count() {
    return labels.length;
  }

  /// A copy of the pixels of some pictures, from 0 to 1, picture by picture, row by row.
  ///
  /// @param from the first picture
  /// @param to the picture after the last
  public float[] pixels(int from, int to) {
    return Arrays.copyOfRange(pixels, from * PIXELS, to * PIXELS);
  }

  /// A copy of the labels of some pictures, from 0 to 9.
  public int[] labels(int from, int to) {
    return Arrays.copyOfRange(labels, from, to);
  }

  /// The share of pictures whose class has the highest score, from 0 to 1.
  ///
  /// @param scores [#CLASSES] scores of each picture, picture by picture
  /// @throws IllegalArgumentException if the number of scores differs
  public double accuracy(float[] scores) {
    if (scores.length != count() * CLASSES) {
      throw new IllegalArgumentException(
          "scores has %s elements, but must have %s".formatted(scores.length, count() * CLASSES));
    }
    int right = 0;
    for (int i = 0; i < count(); i++) {
      int best = 0;
      for (int j = 1; j < CLASSES; j++) {
        if (scores[i * CLASSES + j] > scores[i * CLASSES + best]) {
          best = j;
        }
      }
      right += best == labels[i] ? 1 : 0;
    }
    return (double) right / count();
  }
}
