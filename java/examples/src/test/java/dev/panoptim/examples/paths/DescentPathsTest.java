package dev.panoptim.examples.paths;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

class DescentPathsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void gradientsAreThoseOfTheSurface(Surface surface) {
    SplittableRandom random = new SplittableRandom(1);
    double step = 1e-6;
    for (int i = 0; i < 100; i++) {
      double x = random.nextDouble(-2, 2);
      double y = random.nextDouble(-2, 2);
      double[] gradient = surface.gradient(x, y);
      double alongX = surface.value(x + step, y) - surface.value(x - step, y);
      double alongY = surface.value(x, y + step) - surface.value(x, y - step);
      assertEquals(alongX / (2 * step), gradient[0], 1e-4);
      assertEquals(alongY / (2 * step), gradient[1], 1e-4);
    }
  }

  @ParameterizedTest
  @EnumSource
  void levelLinesAreAtTheirLevel(Surface surface) {
    for (double level : surface.levels()) {
      List<List<double[]>> lines = surface.lines(level);
      assertFalse(lines.isEmpty());
      for (List<double[]> line : lines) {
        for (double[] point : line) {
          assertEquals(level, surface.value(point[0], point[1]), 1e-9);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyWalkGoesDown(Walker walker) {
    for (Surface surface : Surface.values()) {
      List<double[]> path = walker.walk(surface);
      double[] end = path.getLast();
      // A walk ends where it leaves the picture; the growing steps of Rprop do so soon.
      assertTrue(path.size() > 10, surface + ": " + path.size() + " points");
      assertTrue(
          surface.value(end[0], end[1]) < surface.value(surface.startX, surface.startY) - 1,
          surface.toString());
    }
  }

  @Test
  void drawsBothSurfaces() throws Exception {
    Path file = folder.resolve("new").resolve("paths.png");
    assertEquals(0, new CommandLine(new DescentPaths()).execute("--out", file.toString()));
    BufferedImage image = ImageIO.read(file.toFile());
    assertEquals(1600, image.getWidth());
    for (Walker walker : Walker.values()) {
      assertTrue(contains(image, walker.color.getRGB(), 0, 800), walker.label);
      assertTrue(contains(image, walker.color.getRGB(), 800, 1600), walker.label);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyPathIsDrawnWhole(Surface surface) {
    for (Walker walker : Walker.values()) {
      double[] x = DescentPaths.chart(surface).getSeries(walker.label).getXData();
      assertArrayEquals(
          walker.walk(surface).stream().mapToDouble(point -> point[0]).toArray(), x, walker.label);
    }
  }

  private static boolean contains(BufferedImage image, int color, int from, int to) {
    for (int x = from; x < to; x++) {
      for (int y = 0; y < image.getHeight(); y++) {
        if (image.getRGB(x, y) == color) {
          return true;
        }
      }
    }
    return false;
  }
}
