package dev.panoptim.examples.bridges;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import picocli.CommandLine;

/// What the comparison of each library must show.
public final class ComparisonChecks {
  private ComparisonChecks() {}

  /// `--help` ends with status 0 and lists the options of all comparisons.
  public static void assertHelpListsTheOptions(CommandLine program) {
    StringWriter output = new StringWriter();
    assertEquals(0, program.setOut(new PrintWriter(output)).execute("--help"));
    for (String option :
        new String[] {"--sizes", "--batch", "--rounds", "--seed", "--quick", "--out"}) {
      assertTrue(output.toString().contains(option), output::toString);
    }
  }

  /// The output has both models, and the picture has a chart of each.
  public static void assertComparesBothSizes(String output, Path picture) throws IOException {
    assertTrue(output.contains("small model: 107,791 parameters in 20 tensors"), output);
    assertTrue(output.contains("large model: 9,775,360 parameters in 100 tensors"), output);
    assertEquals(1400, ImageIO.read(picture.toFile()).getWidth());
  }

  /// Both sides have nearly the same losses at first, and learn the digits.
  public static void assertBothSidesLearnAlike(ComparedLibrary library) {
    Digits training = Digits.generate(400, 1);
    ModelSize size = ModelSize.SMALL;
    TrainingSetup setup = new TrainingSetup(size, size.initialParameters(2), training, 16);
    try (TrainingSide own = library.own(setup);
        TrainingSide panoptim = library.panoptim(setup)) {
      double first = 0;
      for (int i = 0; i < 10 * setup.batches(); i++) {
        own.step(i % setup.batches());
        panoptim.step(i % setup.batches());
        if (i == 0) {
          first = own.loss();
        }
        if (i < 10) {
          assertEquals(own.loss(), panoptim.loss(), 1e-4, "loss of step " + i);
        }
      }
      assertTrue(own.loss() < first / 2 && panoptim.loss() < first / 2);
      assertTrue(training.accuracy(own.scores(training)) > 0.8);
      assertTrue(training.accuracy(panoptim.scores(training)) > 0.8);
      assertTrue(own.optimizerNanos() > 0 && panoptim.optimizerNanos() > 0);
    }
  }
}
