package dev.panoptim.server.digits;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.server.digits.Drawing.Point;
import dev.panoptim.server.digits.Drawing.Stroke;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RasterTest {
  private static final Drawing CROSS =
      new Drawing(
          List.of(
              new Stroke(List.of(new Point(.2, .5), new Point(.8, .5))),
              new Stroke(List.of(new Point(.5, .2), new Point(.5, .8)))));

  @Test
  void placeAndSizeOfADrawingDoNotMatter() {
    Drawing moved = CROSS.map(point -> new Point(point.x() * 0.25 + 0.125, point.y() * 0.25 + 0.5));
    assertArrayEquals(Raster.pixels(CROSS, 2), Raster.pixels(moved, 2), 1e-4f);
  }

  @Test
  void theLongerSideHasTwentyPixels() {
    float[] image = Raster.pixels(CROSS, 2);
    // Half a pixel of each line's end lies beyond the 20 pixels, and a blurred one.
    assertEquals(22, inked(image, true));
    assertEquals(22, inked(image, false));
  }

  private static long inked(float[] image, boolean rows) {
    return IntStream.range(0, Raster.SIDE)
        .filter(
            i ->
                IntStream.range(0, Raster.SIDE)
                    .anyMatch(k -> image[rows ? i * Raster.SIDE + k : k * Raster.SIDE + i] > 0))
        .count();
  }

  @Test
  void aDrawingWhoseMassIsAtOneEndStaysInside() {
    Drawing heavyTop =
        new Drawing(
            List.of(
                new Stroke(List.of(new Point(.1, .1), new Point(.9, .1), new Point(.1, .12))),
                new Stroke(List.of(new Point(.5, .1), new Point(.5, .95)))));
    float[] image = Raster.pixels(heavyTop, 2);
    int edge = (Raster.SIDE - 1) * Raster.SIDE;
    for (int i = 0; i < Raster.SIDE; i++) {
      assertEquals(0, image[edge + i], "the last row");
      assertEquals(0, image[i], "the first row");
    }
  }

  @Test
  void aThickerPenUsesMoreInk() {
    assertTrue(ink(Raster.pixels(CROSS, 3)) > 1.3 * ink(Raster.pixels(CROSS, 2)));
  }

  private static double ink(float[] image) {
    return IntStream.range(0, image.length).mapToDouble(i -> image[i]).sum();
  }

  @Test
  void aDotIsADot() {
    float[] image = Raster.pixels(new Drawing(List.of(new Stroke(List.of(new Point(0, 1))))), 2);
    assertTrue(ink(image) > 1 && ink(image) < 8, "ink of a dot: " + ink(image));
  }

  @Test
  void illegalDrawingsAreRefused() {
    assertMessage("0 strokes", () -> new Drawing(List.of()));
    assertMessage("no points", () -> new Stroke(List.of()));
    assertMessage("NaN", () -> new Point(Double.NaN, 0));
    Point[] many = new Point[Drawing.MOST_POINTS + 1];
    Arrays.fill(many, new Point(0, 0));
    assertMessage("2001 points", () -> new Drawing(List.of(new Stroke(List.of(many)))));
  }

  private static void assertMessage(String part, org.junit.jupiter.api.function.Executable call) {
    String message = assertThrows(IllegalArgumentException.class, call).getMessage();
    assertTrue(message.contains(part), message);
  }
}
