package dev.panoptim.examples.schedules;

import dev.panoptim.examples.chart.Charts;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.style.Styler;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Draws every schedule.
@Command(
    name = "schedules",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = "Draws a learning rate of 1 under each schedule, over a hundred steps.")
public final class ScheduleChart implements Callable<Integer> {
  static final int COLUMNS = 4;
  static final int WIDTH = 420;
  static final int HEIGHT = 300;
  static final List<Color> COLORS =
      List.of(new Color(0x1f77b4), new Color(0xd62728), new Color(0x2ca02c));

  @Option(names = "--out", description = "File of the chart.")
  private Path out = Path.of("docs", "schedules.png");

  /// Runs the program and ends the process: 0 on success, 1 if the chart cannot be written, 2 on
  /// wrong options.
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true");
    System.exit(new CommandLine(new ScheduleChart()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    List<XYChart> charts = Arrays.stream(Panel.values()).map(ScheduleChart::chart).toList();
    Charts.write(charts, COLUMNS, out);
    System.out.println("Written to " + out);
    return 0;
  }

  static XYChart chart(Panel panel) {
    XYChart chart = Charts.create(panel.title, WIDTH, HEIGHT, 15);
    boolean momentum = panel.title.endsWith("Momentum");
    chart
        .getStyler()
        .setXAxisMin(0.0)
        .setXAxisMax(Panel.STEPS - 1.0)
        .setYAxisMin(momentum ? 0.78 : 0.0)
        .setYAxisMax(momentum ? 1.0 : 1.4)
        .setPlotGridLinesColor(new Color(0xeeeeee));
    chart
        .getStyler()
        .setLegendPosition(Styler.LegendPosition.InsideNE)
        .setLegendLayout(Styler.LegendLayout.Vertical)
        .setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11))
        .setLegendPadding(3)
        .setLegendBorderColor(Color.WHITE);
    double[] steps = IntStream.range(0, Panel.STEPS).asDoubleStream().toArray();
    for (int i = 0; i < panel.curves.size(); i++) {
      Curve curve = panel.curves.get(i);
      Charts.line(chart, curve.label(), steps, curve.values(Panel.STEPS), COLORS.get(i), 2);
    }
    return chart;
  }
}
