package dev.panoptim.server.digits;

import dev.panoptim.server.digits.Drawing.Point;
import dev.panoptim.server.digits.Drawing.Stroke;
import dev.panoptim.server.digits.Glyphs.Control;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// Draws digits as many hands would: a random way to write the digit, with shaky points, slanted,
/// stretched and rotated at random.
///
/// Not thread-safe.
public final class DigitGenerator {
  private static final double SHAKE = 0.028;
  private static final double ANGLE = 0.13;
  private static final double SLANT = 0.16;
  private static final double STRETCH = 0.16;
  private static final double THINNEST = 1.3;
  private static final double THICKEST = 3.4;
  private static final double NOISE = 0.04;

  private final SplittableRandom random;

  public DigitGenerator(long seed) {
    random = new SplittableRandom(seed);
  }

  /// The number of digits that can be drawn.
  public static int digits() {
    return Glyphs.count();
  }

  int anyDigit() {
    return random.nextInt(digits());
  }

  /// @param digit from 0 to 9
  /// @throws IllegalArgumentException if it is not
  public Drawing draw(int digit) {
    return draw(digit, Distortion.NONE);
  }

  /// @param also distorts the finished drawing
  Drawing draw(int digit, Distortion also) {
    if (digit < 0 || digit >= digits()) {
      throw new IllegalArgumentException(
          "digit is %s, but must be from 0 to %s".formatted(digit, digits() - 1));
    }
    List<List<Control>> variants = Glyphs.of(digit);
    List<Stroke> strokes = new ArrayList<>();
    for (Control each : variants.get(random.nextInt(variants.size()))) {
      strokes.add(shaken(each).stroke());
    }
    Distortion own =
        new Distortion(
            ANGLE * random.nextGaussian(),
            SLANT * random.nextGaussian(),
            Math.exp(STRETCH * random.nextGaussian()));
    return new Drawing(strokes).map(point -> also.apply(own.apply(point)));
  }

  private Control shaken(Control control) {
    return new Control(control.curved(), control.points().stream().map(this::shaken).toList());
  }

  private Point shaken(Point point) {
    return new Point(
        point.x() + SHAKE * random.nextGaussian(), point.y() + SHAKE * random.nextGaussian());
  }

  /// The image of a new drawing of a digit, with a random pen and noise.
  float[] pixels(int digit) {
    float[] image = Raster.pixels(draw(digit), random.nextDouble(THINNEST, THICKEST));
    for (int i = 0; i < image.length; i++) {
      // Paper without noise stays 0, which the network skips.
      if (image[i] != 0) {
        image[i] = (float) Math.clamp(image[i] + NOISE * random.nextGaussian(), 0, 1);
      }
    }
    return image;
  }
}
