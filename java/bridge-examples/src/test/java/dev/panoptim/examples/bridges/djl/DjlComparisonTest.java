package dev.panoptim.examples.bridges.djl;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.examples.bridges.ComparisonChecks;
import dev.panoptim.examples.bridges.ProgramProcess;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DjlComparisonTest {
  /// Microseconds. A quiet machine takes 0.05, DJL's buffers would take 2.
  private static final double LONGEST_FINDING = 1;

  @TempDir Path folder;

  @Test
  void helpListsTheOptions() {
    ComparisonChecks.assertHelpListsTheOptions(DjlComparison.commandLine());
  }

  @Test
  @Tag("natives")
  void comparesBothSizes() throws Exception {
    Path picture = folder.resolve("loss.png");
    String cache = Optional.ofNullable(System.getProperty("DJL_CACHE_DIR")).orElseThrow();
    String output = ProgramProcess.run(DjlComparison.class, picture, "-DDJL_CACHE_DIR=" + cache);
    assertTrue(output.contains("DJL's Adam"), output);
    ComparisonChecks.assertComparesBothSizes(output, picture);
    Matcher finding =
        Pattern.compile("A step needs ([0-9.]+) us to find a gradient").matcher(output);
    assertTrue(finding.find(), output);
    assertTrue(Double.parseDouble(finding.group(1)) <= LONGEST_FINDING, output);
  }
}
