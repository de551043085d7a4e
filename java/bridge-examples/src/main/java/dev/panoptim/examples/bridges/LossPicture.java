package dev.panoptim.examples.bridges;

import dev.panoptim.examples.bridges.Comparison.Result;
import dev.panoptim.examples.chart.Charts;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.style.Styler;

/// Charts of the losses of both sides, one chart for each model.
final class LossPicture {
  private static final int WIDTH = 700;
  private static final int HEIGHT = 500;
  private static final int TITLE_SIZE = 16;

  /// More labels of the x axis would overlap.
  private static final int X_LABELS = 8;

  /// Recorded losses that a point is the mean of.
  private static final int SMOOTHED_OVER = 10;

  /// Wide and pale, below the other: equal curves lie on each other.
  private static final Color OWN = new Color(0xf0a070);

  private static final float OWN_WIDTH = 6f;
  private static final Color PANOPTIM = new Color(0x1f5fa8);
  private static final float PANOPTIM_WIDTH = 1.8f;

  private LossPicture() {}

  /// Writes the charts beside each other into a PNG file.
  ///
  /// @throws IOException if the file cannot be written
  static void write(String library, List<Result> results, Path file) throws IOException {
    Charts.write(results.stream().map(each -> chart(library, each)).toList(), results.size(), file);
  }

  private static XYChart chart(String library, Result result) {
    XYChart chart =
        Charts.create(library + ", " + result.size() + " model", WIDTH, HEIGHT, TITLE_SIZE);
    chart.setXAxisTitle("step");
    chart.setYAxisTitle("cross-entropy");
    chart.getStyler().setLegendPosition(Styler.LegendPosition.InsideNE);
    chart.getStyler().setPlotGridLinesColor(new Color(0xe4e4e4));
    chart.getStyler().setYAxisMin(0.0);
    chart.getStyler().setXAxisMin(0.0);
    chart.getStyler().setXAxisMaxLabelCount(X_LABELS);
    line(chart, result.own(), OWN, OWN_WIDTH);
    line(chart, result.panoptim(), PANOPTIM, PANOPTIM_WIDTH);
    return chart;
  }

  private static void line(XYChart chart, SideRecord side, Color color, float width) {
    List<Double> losses = side.losses();
    double[] steps =
        IntStream.range(0, losses.size())
            .mapToDouble(i -> (double) i * SideRecord.STEPS_PER_LOSS)
            .toArray();
    double[] smooth =
        IntStream.range(0, losses.size())
            .mapToDouble(i -> Charts.meanUpTo(losses, i, SMOOTHED_OVER))
            .toArray();
    Charts.line(chart, side.name(), steps, smooth, color, width);
  }
}
