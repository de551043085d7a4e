package dev.panoptim.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LossChartTest {
  @TempDir Path folder;

  @Test
  void everyOptimizerHasAPanelAndItsOwnColorThere() {
    EnumSet<OptimizerChoice.Kind> drawn = EnumSet.noneOf(OptimizerChoice.Kind.class);
    for (LossPanel panel : LossPanel.values()) {
      drawn.addAll(panel.kinds);
      assertTrue(panel.kinds.size() <= LossPanel.COLORS.size(), panel.toString());
    }
    assertEquals(EnumSet.allOf(OptimizerChoice.Kind.class), drawn);
    assertEquals(LossPanel.COLORS.size(), new HashSet<>(LossPanel.COLORS).size());
  }

  @Test
  void drawsEveryPanelInItsPlace() throws Exception {
    Path text = Files.writeString(folder.resolve("text"), "to be or not to be. ".repeat(200));
    Path file = folder.resolve("new").resolve("losses.png");
    assertEquals(
        0,
        LossChart.commandLine()
            .execute("--steps=60", "--threads=2", "--out", file.toString(), text.toString()));
    BufferedImage image = ImageIO.read(file.toFile());
    List<LossPanel> panels = List.of(LossPanel.values());
    int rows = panels.size() / LossChart.COLUMNS;
    assertEquals(panels.size(), rows * LossChart.COLUMNS);
    assertEquals(LossChart.COLUMNS * LossChart.WIDTH, image.getWidth());
    assertEquals(rows * LossChart.HEIGHT, image.getHeight());
    for (LossPanel panel : panels) {
      int left = panel.ordinal() % LossChart.COLUMNS * LossChart.WIDTH;
      int top = panel.ordinal() / LossChart.COLUMNS * LossChart.HEIGHT;
      for (int i = 0; i < panel.kinds.size(); i++) {
        assertTrue(
            contains(image, LossPanel.COLORS.get(i).getRGB(), left, top),
            panel + ", " + panel.kinds.get(i));
      }
    }
  }

  private static boolean contains(BufferedImage image, int color, int left, int top) {
    for (int x = left; x < left + LossChart.WIDTH; x++) {
      for (int y = top; y < top + LossChart.HEIGHT; y++) {
        if (image.getRGB(x, y) == color) {
          return true;
        }
      }
    }
    return false;
  }
}
