package dev.panoptim.examples.schedules;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Draws every schedule.
@Command(
    name = "schedules",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = "Draws what each schedule makes of a learning rate of 1 in a hundred steps.")
public final class ScheduleChart implements Callable<Integer> {
  static final int COLUMNS = 4;
  static final int WIDTH = 420;
  static final int HEIGHT = 300;
  static final List<Color> COLORS =
      List.of(new Color(0x1f77b4), new Color(0xd62728), new Color(0x2ca02c));

  @Option(names = "--out", description = "Where the picture goes.")
  private Path out = Path.of("docs", "schedules.png");

  /// Runs the program and ends the process: 0 when all went well, 1 if the picture could not be
  /// written, 2 on bad options.
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true");
    System.exit(new CommandLine(new ScheduleChart()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    List<XYChart> charts = Arrays.stream(Panel.values()).map(ScheduleChart::chart).toList();
    Files.createDirectories(out.toAbsolutePath().getParent());
    try (OutputStream stream = Files.newOutputStream(out)) {
      BitmapEncoder.saveBitmap(
          charts, charts.size() / COLUMNS, COLUMNS, stream, BitmapEncoder.BitmapFormat.PNG);
    }
    System.out.println("Written to " + out);
    return 0;
  }

  static XYChart chart(Panel panel) {
    XYChart chart = new XYChartBuilder().width(WIDTH).height(HEIGHT).title(panel.title).build();
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
        .setChartBackgroundColor(Color.WHITE)
        .setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 15))
        .setLegendPosition(Styler.LegendPosition.InsideNE)
        .setLegendLayout(Styler.LegendLayout.Vertical)
        .setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11))
        .setLegendPadding(3)
        .setLegendBorderColor(Color.WHITE);
    double[] steps = IntStream.range(0, Panel.STEPS).asDoubleStream().toArray();
    for (int i = 0; i < panel.curves.size(); i++) {
      Curve curve = panel.curves.get(i);
      XYSeries series = chart.addSeries(curve.label(), steps, curve.values(Panel.STEPS));
      series.setLineColor(COLORS.get(i));
      series.setLineStyle(new BasicStroke(2));
      series.setMarker(SeriesMarkers.NONE);
    }
    return chart;
  }
}
