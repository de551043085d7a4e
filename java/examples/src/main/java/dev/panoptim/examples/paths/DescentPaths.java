package dev.panoptim.examples.paths;

import dev.panoptim.examples.chart.Charts;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Draws the paths of optimizers over two surfaces.
@Command(
    name = "paths",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = "Draws the paths that optimizers take over Rosenbrock's ravine and a saddle.")
public final class DescentPaths implements Callable<Integer> {
  private static final Color LEVEL_LINE = new Color(0xdddddd);

  @Option(names = "--out", description = "File of the chart.")
  private Path out = Path.of("docs", "paths.png");

  /// Runs the program and ends the process: 0 on success, 1 if the chart cannot be written, 2 on
  /// wrong options.
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true");
    System.exit(new CommandLine(new DescentPaths()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    List<XYChart> charts = Arrays.stream(Surface.values()).map(DescentPaths::chart).toList();
    Charts.write(charts, charts.size(), out);
    System.out.println("Written to " + out);
    return 0;
  }

  static XYChart chart(Surface surface) {
    XYChart chart =
        Charts.create("%s, at most %s steps".formatted(surface.title, Walker.STEPS), 800, 760, 18);
    chart
        .getStyler()
        .setXAxisMin(surface.left)
        .setXAxisMax(surface.right)
        .setYAxisMin(surface.bottom)
        .setYAxisMax(surface.top)
        .setPlotGridLinesVisible(false);
    chart.getStyler().setLegendPosition(Styler.LegendPosition.InsideSE);
    int lines = 0;
    for (double level : surface.levels()) {
      for (List<double[]> line : surface.lines(level)) {
        add(chart, "level line " + lines++, line, LEVEL_LINE, 1).setShowInLegend(false);
      }
    }
    for (Walker walker : Walker.values()) {
      List<double[]> path = walker.walk(surface);
      double[] end = path.getLast();
      System.out.printf(
          Locale.ROOT,
          "  %-20s %-18s %3d steps, ends at (%6.3f, %6.3f), height %9.5f%n",
          surface.title,
          walker.label,
          path.size() - 1,
          end[0],
          end[1],
          surface.value(end[0], end[1]));
      add(chart, walker.label, path, walker.color, 2);
      XYSeries last = add(chart, walker.label + ", end", List.of(end), walker.color, 2);
      last.setMarker(SeriesMarkers.CIRCLE);
      last.setShowInLegend(false);
    }
    return chart;
  }

  private static XYSeries add(
      XYChart chart, String name, List<double[]> points, Color color, float width) {
    return Charts.line(
        chart,
        name,
        points.stream().mapToDouble(point -> point[0]).toArray(),
        points.stream().mapToDouble(point -> point[1]).toArray(),
        color,
        width);
  }
}
