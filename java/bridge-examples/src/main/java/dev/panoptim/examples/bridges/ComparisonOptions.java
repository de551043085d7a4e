package dev.panoptim.examples.bridges;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import picocli.CommandLine.Option;

/// The options that all comparisons have, for picocli's `@Mixin`.
public final class ComparisonOptions {
  private static final int TRAINING = 4000;
  private static final int TEST = 1000;
  private static final int QUICK_TRAINING = 400;
  private static final int QUICK_TEST = 100;
  private static final int MOST_ROUNDS = 1000;

  @Option(
      names = "--sizes",
      split = ",",
      description = "Models, of: ${COMPLETION-CANDIDATES}. Default: both.")
  private ModelSize[] sizes = ModelSize.values();

  @Option(
      names = "--batch",
      description = "Pictures of a batch, 1 to 400. Default: 8 for SMALL, 16 for LARGE.")
  private Integer batchSize;

  @Option(
      names = "--rounds",
      description = "Measured rounds of each side, 1 to 1000. Default: 15; 2 with --quick.")
  private Integer rounds;

  @Option(names = "--seed", description = "Of data and models. Default: ${DEFAULT-VALUE}.")
  private long seed = 1;

  @Option(names = "--quick", description = "Few steps with little data, as a test.")
  private boolean quick;

  @Option(
      names = "--out",
      description =
          "The picture of the losses. Default:"
              + " java/bridge-examples/target/loss-LIBRARY.png in the folder of the project.")
  private Path out;

  /// The models to compare, in the order of their size.
  Set<ModelSize> sizes() {
    return EnumSet.copyOf(Arrays.asList(sizes));
  }

  /// @throws IllegalArgumentException if an option is out of range
  Comparison.Settings settings(ModelSize size) {
    int measured = rounds != null ? rounds : quick ? 2 : 15;
    // Each model learns well from batches of that size in the steps that it has.
    int batch = batchSize != null ? batchSize : size == ModelSize.SMALL ? 8 : 16;
    require("--batch", batch, 1, QUICK_TRAINING);
    require("--rounds", measured, 1, MOST_ROUNDS);
    // A round takes about half a second, so that other programs disturb few rounds.
    int steps = quick ? 5 : size == ModelSize.SMALL ? 200 : 20;
    return new Comparison.Settings(
        quick ? QUICK_TRAINING : TRAINING,
        quick ? QUICK_TEST : TEST,
        batch,
        measured,
        quick ? 1 : 5,
        steps,
        seed);
  }

  private static void require(String option, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          "%s is %s, but must be from %s to %s".formatted(option, value, least, most));
    }
  }

  Path out(String defaultName) {
    return out != null
        ? out
        : Path.of("java", "bridge-examples", "target", "loss-" + defaultName + ".png");
  }
}
