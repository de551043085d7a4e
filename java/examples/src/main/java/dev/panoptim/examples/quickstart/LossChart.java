package dev.panoptim.examples.quickstart;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.BackendUnavailableException;
import dev.panoptim.backend.Backends;
import dev.panoptim.examples.chart.Charts;
import dev.panoptim.examples.console.Programs;
import dev.panoptim.examples.quickstart.OptimizerChoice.Kind;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.style.Styler;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Draws the training losses of all optimizers over the quickstart's text.
@Command(
    name = "losses",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = "Trains the quickstart's model with every optimizer and draws the losses.")
public final class LossChart implements Callable<Integer> {
  static final int COLUMNS = 2;
  static final int WIDTH = 800;
  static final int HEIGHT = 600;
  private static final double HIGHEST_LOSS = 6;
  private static final double LOWEST_LOSS = 2;

  @Option(names = "--steps", description = "Steps of each training, 1 or more.")
  private int steps = 600;

  @Option(names = "--seed", description = "Of the initial parameters and the batches.")
  private long seed = 1;

  @Option(names = "--backend", description = "auto, native, vector or scalar.")
  private String backend = "auto";

  @Option(names = "--threads", description = "For the model and the optimizer; 1 to 1024.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @CommandLine.Parameters(
      paramLabel = "FILE",
      showDefaultValue = CommandLine.Help.Visibility.NEVER,
      description = "Text to train on. Default: the text of the quickstart.")
  private List<Path> texts = List.of();

  @Option(names = "--out", description = "File of the chart.")
  private Path out = Path.of("docs", "losses.png");

  /// The trainings so far: some optimizers are in several panels.
  private final Map<Kind, LossRun> runs = new EnumMap<>(Kind.class);

  /// Runs the program and ends the process: 0 on success, 2 on wrong options or input.
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true");
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return Programs.commandLine(new LossChart(), BackendUnavailableException.class);
  }

  @Override
  public Integer call() throws IOException {
    if (steps < 1) {
      throw new IllegalArgumentException("--steps is " + steps + ", but must be 1 or more");
    }
    LossCurve.requireWritable(out);
    Corpus corpus = Corpus.of(texts.isEmpty() ? Corpus.sources(Path.of("")) : Corpus.read(texts));
    Backend found = Backends.named(backend);
    List<XYChart> charts = new ArrayList<>();
    for (LossPanel panel : LossPanel.values()) {
      charts.add(chart(panel, corpus, found));
    }
    Charts.write(charts, COLUMNS, out);
    System.out.println("Written to " + out);
    return 0;
  }

  private XYChart chart(LossPanel panel, Corpus corpus, Backend backend) {
    XYChart chart = Charts.create(panel.title, WIDTH, HEIGHT, 18);
    chart.setXAxisTitle("step");
    chart.setYAxisTitle("bits per byte, mean of " + LossRun.SMOOTHED_OVER + " batches");
    chart.getStyler().setLegendPosition(Styler.LegendPosition.InsideNE);
    chart.getStyler().setPlotGridLinesColor(new Color(0xe4e4e4));
    chart.getStyler().setYAxisMin(LOWEST_LOSS).setYAxisMax(HIGHEST_LOSS);
    // The end half a step later lets the chart library choose round ticks.
    chart.getStyler().setXAxisMin(0.0).setXAxisMax(steps + 0.5);
    double[] x = IntStream.rangeClosed(1, steps).mapToDouble(i -> i).toArray();
    for (int i = 0; i < panel.kinds.size(); i++) {
      OptimizerChoice choice = OptimizerChoice.tuned(panel.kinds.get(i), threads);
      LossRun run = runs.computeIfAbsent(choice.kind(), kind -> train(choice, corpus, backend));
      String label =
          "%s, %s: %s"
              .formatted(
                  choice.kind(),
                  choice.effectiveLearningRate(),
                  String.format(Locale.ROOT, "%.2f", run.validation()));
      Charts.line(chart, label, x, run.training(), LossPanel.COLORS.get(i), 2f);
    }
    return chart;
  }

  private LossRun train(OptimizerChoice choice, Corpus corpus, Backend backend) {
    LossRun run = LossRun.of(choice, backend, corpus, steps, seed, threads);
    System.out.printf(
        Locale.ROOT,
        "  %-18s learning rate %-8s held-out text %.3f bits per byte%n",
        choice.kind(),
        choice.effectiveLearningRate(),
        run.validation());
    return run;
  }
}
