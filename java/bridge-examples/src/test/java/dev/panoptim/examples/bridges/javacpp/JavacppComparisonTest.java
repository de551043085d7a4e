package dev.panoptim.examples.bridges.javacpp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.examples.bridges.ComparisonChecks;
import dev.panoptim.examples.console.Programs;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JavacppComparisonTest {
  /// A busy machine takes longer than the 0.15 microseconds of a quiet one.
  private static final double LONGEST_FINDING = 0.6;

  @TempDir Path folder;

  @Test
  void helpListsTheOptions() {
    ComparisonChecks.assertHelpListsTheOptions(
        Programs.commandLine(new JavacppComparison(System.out)));
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
    ComparisonChecks.assertComparesBothSizes(output, picture);
    Matcher finding =
        Pattern.compile("([0-9.]+) us where it was before, ([0-9.]+) us elsewhere").matcher(output);
    assertTrue(finding.find(), output);
    assertTrue(Double.parseDouble(finding.group(1)) < LONGEST_FINDING, output);
  }

  @Test
  @Tag("natives")
  void bothSidesLearnAlikeFromTheSameParameters() {
    ComparisonChecks.assertBothSidesLearnAlike(new JavacppLibrary());
  }
}
