package dev.panoptim.examples.bridges.dl4j;

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
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Dl4jComparisonTest {
  @TempDir Path folder;

  @Test
  void helpListsTheOptions() {
    StringWriter output = new StringWriter();
    int status =
        Programs.commandLine(new Dl4jComparison(System.out))
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
    Dl4jComparison program = new Dl4jComparison(new PrintStream(bytes));
    int status = Programs.commandLine(program).execute("--quick", "--out", picture.toString());
    String output = bytes.toString();
    assertEquals(0, status, output);
    assertTrue(output.startsWith("Deeplearning4j 1."), output);
    assertTrue(output.contains("DL4J's Adam"), output);
    assertTrue(output.contains("Panoptim's Adam"), output);
    assertTrue(output.contains("small model: 107,791 parameters in 20 tensors"), output);
    assertTrue(output.contains("large model: 9,775,360 parameters in 100 tensors"), output);
    assertEquals(1400, ImageIO.read(picture.toFile()).getWidth());
  }

  @Test
  @Tag("natives")
  void bothSidesLearnAlikeFromTheSameParameters() {
    Digits training = Digits.generate(400, 1);
    ModelSize size = ModelSize.SMALL;
    TrainingSetup setup = new TrainingSetup(size, size.initialParameters(2), training, 16);
    Dl4jLibrary library = new Dl4jLibrary();
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
