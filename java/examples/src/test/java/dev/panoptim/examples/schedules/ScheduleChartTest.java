package dev.panoptim.examples.schedules;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.schedule.Schedule;
import dev.panoptim.schedule.Schedules;
import java.awt.image.BufferedImage;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

class ScheduleChartTest {
  @TempDir Path folder;

  @Test
  void everyFactoryHasAPanel() {
    String titles =
        Arrays.stream(Panel.values()).map(each -> each.title).collect(Collectors.joining(", "));
    for (Method each : Schedules.class.getMethods()) {
      if (Modifier.isStatic(each.getModifiers()) && each.getReturnType() == Schedule.class) {
        assertTrue(
            Arrays.asList(titles.split(", ")).contains(each.getName()),
            each.getName() + " has no panel: " + titles);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyCurveIsDrawnWhole(Panel panel) {
    for (Curve curve : panel.curves) {
      double[] drawn = ScheduleChart.chart(panel).getSeries(curve.label()).getYData();
      double[] expected = curve.values(Panel.STEPS);
      if (curve.schedule() != null) {
        for (int step = 0; step < expected.length; step++) {
          assertEquals(curve.schedule().at(step, 1), expected[step], curve.label());
        }
      }
      assertArrayEquals(expected, drawn, curve.label());
    }
  }

  @Test
  void thePlateausAreReached() {
    for (Curve curve : Panel.REDUCE_ON_PLATEAU.curves) {
      double[] values = curve.values(Panel.STEPS);
      assertTrue(values[Panel.STEPS - 1] <= 0.25, curve.label());
    }
  }

  @Test
  void drawsEveryPanelInItsPlace() throws Exception {
    Path file = folder.resolve("new").resolve("schedules.png");
    assertEquals(0, new CommandLine(new ScheduleChart()).execute("--out", file.toString()));
    BufferedImage image = ImageIO.read(file.toFile());
    int rows = Panel.values().length / ScheduleChart.COLUMNS;
    assertEquals(Panel.values().length, rows * ScheduleChart.COLUMNS);
    assertEquals(ScheduleChart.COLUMNS * ScheduleChart.WIDTH, image.getWidth());
    assertEquals(rows * ScheduleChart.HEIGHT, image.getHeight());
    for (Panel panel : Panel.values()) {
      int left = panel.ordinal() % ScheduleChart.COLUMNS * ScheduleChart.WIDTH;
      int top = panel.ordinal() / ScheduleChart.COLUMNS * ScheduleChart.HEIGHT;
      for (int i = 0; i < panel.curves.size(); i++) {
        int color = ScheduleChart.COLORS.get(i).getRGB();
        assertTrue(contains(image, color, left, top), panel + ", curve " + i);
      }
    }
  }

  private static boolean contains(BufferedImage image, int color, int left, int top) {
    for (int x = left; x < left + ScheduleChart.WIDTH; x++) {
      for (int y = top; y < top + ScheduleChart.HEIGHT; y++) {
        if (image.getRGB(x, y) == color) {
          return true;
        }
      }
    }
    return false;
  }
}
