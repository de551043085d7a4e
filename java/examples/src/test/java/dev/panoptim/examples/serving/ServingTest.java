package dev.panoptim.examples.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.examples.console.ConsoleRun;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The command line: wrong options, the table, and termination.
@Timeout(300)
class ServingTest {
  private static final int STEPS = 6;
  private static final int PUBLICATIONS = 8;
  private static final int TORN = 10;
  private static final int FAILED = 11;

  @TempDir private Path temporary;

  private static void refused(String words, String... arguments) {
    StringWriter errors = new StringWriter();
    int status = Serving.commandLine().setErr(new PrintWriter(errors, true)).execute(arguments);
    assertEquals(2, status, errors.toString());
    assertEquals(1, errors.toString().lines().count(), errors.toString());
    assertTrue(errors.toString().contains(words), errors.toString());
  }

  @Test
  void badOptionsAreRefusedInOneLine() {
    refused("--elements is 0, but must be from 2048 to 268435456", "--elements=0");
    refused("--elements is 3000, but must be a multiple of 2048", "--elements=3000");
    refused("--steps-per-second is -1, ", "--steps-per-second=-1");
    refused("--steps-per-second is 0.001, but must be from 0.01", "--steps-per-second=0.001");
    refused("--steps-per-second is NaN, ", "--steps-per-second=NaN");
    refused("--requests-per-second is 0, ", "--requests-per-second=0");
    refused("--seconds is 3601, ", "--seconds=3601");
    refused("--rounds is 0, but must be from 1 to 100", "--rounds=0");
    refused("make 3600000 requests a round", "--requests-per-second=1000", "--seconds=3600");
    refused("--markdown /dev/null/x cannot be written", "--markdown=/dev/null/x");
    refused("'x' is not", "--rounds=x");
    refused("Unknown option: '--nonsense' (--help lists the options)", "--nonsense");
  }

  private static String run(String... arguments) {
    return ConsoleRun.of(Serving::commandLine, arguments);
  }

  private static double number(List<String> row, int column) {
    return Double.parseDouble(row.get(column).replace(",", ""));
  }

  @Test
  void aShortRunPrintsARowForEachMode() throws Exception {
    Path markdown = temporary.resolve("new").resolve("table.md");
    String said =
        run(
            "--elements=4096",
            "--requests-per-second=200",
            "--steps-per-second=0",
            "--seconds=0.5",
            "--rounds=1",
            "--markdown=" + markdown);
    List<List<String>> rows =
        Files.readString(markdown)
            .lines()
            .map(line -> Arrays.stream(line.split("\\|")).skip(1).map(String::strip).toList())
            .toList();
    assertEquals("mode", rows.getFirst().getFirst());
    assertEquals(
        List.of("none", "publication", "lock", "live"),
        rows.stream().skip(2).map(List::getFirst).toList());
    for (List<String> row : rows.subList(2, rows.size())) {
      String mode = row.getFirst();
      assertEquals(rows.getFirst().size(), row.size(), mode);
      // The same row is on the console.
      assertTrue(
          said.lines().anyMatch(line -> line.matches(mode + " +" + row.get(1) + " .*")), said);
      assertTrue(number(row, 1) > 0 && number(row, 2) >= number(row, 1), row.toString());
      assertEquals("-", row.get(3), "p99.9 of 100 requests");
      assertEquals(0, number(row, FAILED), row.toString());
      assertTrue(mode.equals("live") || number(row, TORN) == 0, row.toString());
      assertEquals(mode.equals("none"), number(row, STEPS) == 0, row.toString());
      assertEquals(!mode.equals("publication"), row.get(PUBLICATIONS).isEmpty(), row.toString());
    }
    assertTrue(number(rows.get(3), PUBLICATIONS) > 0, rows.toString());
    assertTrue(said.contains("4,096 floats"), said);
    assertTrue(said.contains("200 requests/s for 0.5 s a round (100 requests)"), said);
  }

  /// Also during a pause of the learner, which may last more than half a minute.
  @Test
  void aTerminationClosesEverything() throws Exception {
    Process process =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                "-cp",
                System.getProperty("jdk.module.path", "")
                    + System.getProperty("path.separator")
                    + System.getProperty("java.class.path"),
                Serving.class.getName(),
                "--elements=4096",
                "--seconds=2",
                "--rounds=100",
                "--steps-per-second=0.02")
            .redirectErrorStream(true)
            .start();
    try {
      StringBuilder said = new StringBuilder();
      var lines = process.inputReader();
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        said.append(line).append('\n');
        if (line.equals("warm-up, publication")) {
          process.toHandle().destroy();
        }
      }
      assertEquals(143, process.waitFor(), said.toString());
      assertTrue(said.toString().contains("\nInterrupted: "), said.toString());
      assertTrue(!said.toString().contains("Exception"), said.toString());
    } finally {
      process.destroyForcibly();
    }
  }
}
