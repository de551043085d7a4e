package dev.panoptim.examples.bridges.javacpp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.examples.bridges.Digits;
import dev.panoptim.examples.bridges.ModelSize;
import dev.panoptim.examples.bridges.TrainingSetup;
import dev.panoptim.examples.bridges.TrainingSide;
import dev.panoptim.examples.console.Programs;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JavacppComparisonTest {
  /// A busy machine takes longer than the 0.15 microseconds of a quiet one.
  private static final double LONGEST_FINDING = 0.6;

  @TempDir Path folder;

  @Test
  void helpListsTheOptions() {
    StringWriter output = new StringWriter();
    int status =
        Programs.commandLine(new JavacppComparison(System.out))
            .setOut(new PrintWriter(output))
            .execute("--help");
    assertEquals(0, status);
    for (String option :
        new String[] {"--sizes", "--batch", "--rounds", "--seed", "--quick", "--out"}) {
      assertTrue(output.toString().contains(option), output::toString);
    }
  }

  @Test
  @Tag("natives")
  void comparesBothSizes() throws Exception {
    Path picture = folder.resolve("loss.png");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    JavacppComparison program = new JavacppComparison(new PrintStream(bytes));
    int status = Programs.commandLine(program).execute("--quick", "--out", picture.toString());
    String output = bytes.toString();
    assertEquals(0, status, output);
    assertTrue(output.startsWith("JavaCPP's PyTorch 2."), output);
    assertTrue(output.contains("libtorch's AdamW"), output);
    assertTrue(output.contains("Panoptim's AdamW"), output);
    assertTrue(output.contains("small model: 107,791 parameters in 20 tensors"), output);
    assertTrue(output.contains("large model: 9,775,360 parameters in 100 tensors"), output);
    assertEquals(1400, ImageIO.read(picture.toFile()).getWidth());
    Matcher finding =
        Pattern.compile("([0-9.]+) us where it was before, ([0-9.]+) us elsewhere").matcher(output);
    assertTrue(finding.find(), output);
    assertTrue(Double.parseDouble(finding.group(1)) < LONGEST_FINDING, output);
  }

  @Test
  @Tag("natives")
  void bothSidesLearnAlikeFromTheSameParameters() {
    Digits training = Digits.generate(400, 1);
    ModelSize size = ModelSize.SMALL;
    TrainingSetup setup = new TrainingSetup(size, size.initialParameters(2), training, 16);
    JavacppLibrary library = new JavacppLibrary();
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
