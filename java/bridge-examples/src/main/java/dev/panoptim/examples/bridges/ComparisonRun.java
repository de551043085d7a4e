package dev.panoptim.examples.bridges;

import dev.panoptim.backend.Backends;
import dev.panoptim.examples.console.Machine;
import dev.panoptim.examples.console.TerminalBar;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;

/// Runs the comparisons of one library, shows their progress, and reports them.
public final class ComparisonRun {
  private final ComparedLibrary library;
  private final ComparisonOptions options;
  private final PrintStream console;

  public ComparisonRun(ComparedLibrary library, ComparisonOptions options, PrintStream console) {
    this.library = library;
    this.options = options;
    this.console = console;
  }

  /// Compares all sizes.
  ///
  /// @param name a word for the name of the picture
  /// @return 0, the exit status
  /// @throws IllegalArgumentException if an option is out of range or the picture cannot be written
  public int run(String name) {
    options.sizes().forEach(options::settings);
    describe();
    List<Comparison.Result> results = new ArrayList<>();
    for (ModelSize size : options.sizes()) {
      Comparison.Result result = compare(size);
      console.println();
      console.print(ComparisonReport.text(result, options.settings(size).batchSize()));
      results.add(result);
    }
    console.println();
    library.remarks().forEach(console::println);
    Path picture = options.out(name);
    try {
      LossPicture.write(library.name(), results, picture);
    } catch (IOException e) {
      throw new IllegalArgumentException("--out " + picture + " cannot be written: " + e, e);
    }
    console.println("Losses of both: " + picture);
    return 0;
  }

  private Comparison.Result compare(ModelSize size) {
    Comparison.Settings settings = options.settings(size);
    Optional<ProgressBar> bar = TerminalBar.start(size + " model", settings.allSteps(), console);
    try {
      return new Comparison(library, size, settings)
          .run(steps -> bar.ifPresent(shown -> shown.stepBy(steps)));
    } finally {
      bar.ifPresent(ProgressBar::close);
    }
  }

  private void describe() {
    Comparison.Settings settings = options.settings(ModelSize.SMALL);
    console.printf(
        Locale.ROOT,
        "%s trains on %,d pictures of digits: %s and Panoptim's (backend %s) take turns.%n",
        library.name(),
        settings.training(),
        library.ownOptimizer(),
        Backends.auto().name());
    console.printf(
        Locale.ROOT,
        "Medians of %d rounds after %d rounds of warm-up; all batches are made before.%n",
        settings.rounds(),
        settings.warmUps());
    console.println(Machine.describe());
  }
}
