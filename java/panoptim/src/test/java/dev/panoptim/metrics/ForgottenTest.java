package dev.panoptim.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// The memory of optimizers and parameters that were never closed is freed, with one warning.
@Execution(ExecutionMode.CONCURRENT)
class ForgottenTest {
  private static final String WARNING = "was never closed and can no longer be reached";

  private static String run(List<String> options, String... arguments)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(options);
    all.add("--enable-native-access=ALL-UNNAMED");
    all.add("-Xmx256m");
    ProcessBuilder program = JavaProcess.of(ForgottenProbe.class, all, arguments);
    program.environment().put("PANOPTIM_EMULATED_DEVICES", "1");
    return JavaProcess.run(program);
  }

  private static int count(String text, String part) {
    return text.split(Pattern.quote(part), -1).length - 1;
  }

  private static long number(String output, String word) {
    Matcher found = Pattern.compile(word + " (\\d+)").matcher(output);
    assertTrue(found.find(), output);
    return Long.parseLong(found.group(1));
  }

  @Test
  void theirMemoryIsFreedWithOneWarning() throws Exception {
    String output = run(List.of(), "optimizers");
    // Data, gradients, two states and the 16-bit copies of 501 optimizers.
    assertTrue(number(output, "HELD") >= 500 * 72 * 18 + 8_000_000, output);
    assertEquals(503, number(output, "STEPS"));
    assertEquals(1, count(output, WARNING), output);
    assertTrue(output.contains("-Dpanoptim.memory.trace=true"), output);
    assertFalse(output.contains("ForgottenProbe."), output);
  }

  @Test
  void withTracingEachPlaceGetsOneWarning() throws Exception {
    String output = run(List.of("-Dpanoptim.memory.trace=true"), "optimizers");
    // Parameters and optimizers of the first place, and optimizers of the second place.
    assertEquals(3, count(output, WARNING), output);
    assertEquals(2, count(output, "an optimizer " + WARNING), output);
    assertEquals(3, count(output, "ForgottenProbe.optimizers(ForgottenProbe.java:"), output);
  }

  @Test
  void mappingsOfSharedFilesEnd(@TempDir Path folder) throws Exception {
    String output = run(List.of(), "shared", folder.toString());
    assertTrue(number(output, "MAPPED") >= 3 * 72 * 4, output);
    assertTrue(Files.size(folder.resolve("s")) > 0);
    assertEquals(1, count(output, WARNING), output);
  }

  @Test
  void gpuMemoryIsFreed() throws Exception {
    String cuda = "-Dpanoptim.cuda.library=" + emulatedLibrary();
    String output = run(List.of(cuda), "gpu");
    assertTrue(number(output, "ON DEVICES") >= 10 * 72 * 16, output);
    assertEquals(1, count(output, WARNING), output);
  }

  private static Path emulatedLibrary() throws IOException {
    try (var files = Files.walk(Path.of(System.getProperty("panoptim.testlibs.dir")))) {
      String name = System.mapLibraryName("panoptim_cuda_emulated");
      return files.filter(file -> file.endsWith(name)).findFirst().orElseThrow();
    }
  }

  @Test
  void withoutNativeAccessAWarningIsLogged() throws Exception {
    String output =
        JavaProcess.run(
            Unfreed.class,
            List.of("--enable-native-access=java.base", "--illegal-native-access=deny"));
    assertTrue(output.contains("cannot be freed without native access"), output);
  }

  /// Memory that only its arena can free.
  static final class Unfreed {
    private Unfreed() {}

    public static void main(String[] arguments) throws Exception {
      dev.panoptim.memory.Parameters.builder().add("p", 100).build();
      dev.panoptim.internal.memory.Collected.await(
          "it is found", () -> Metrics.snapshot().forgotten() == 1);
    }
  }
}
