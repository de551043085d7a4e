package dev.panoptim.examples.bridges.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.examples.bridges.ComparisonChecks;
import dev.panoptim.examples.console.Programs;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Dl4jComparisonTest {
  @TempDir Path folder;

  @Test
  void helpListsTheOptions() {
    ComparisonChecks.assertHelpListsTheOptions(
        Programs.commandLine(new Dl4jComparison(System.out)));
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
    ComparisonChecks.assertComparesBothSizes(output, picture);
  }

  @Test
  @Tag("natives")
  void bothSidesLearnAlikeFromTheSameParameters() {
    ComparisonChecks.assertBothSidesLearnAlike(new Dl4jLibrary());
  }
}
