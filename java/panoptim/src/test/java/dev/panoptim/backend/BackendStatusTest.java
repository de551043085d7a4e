package dev.panoptim.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.JavaProcess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// The backend's status, each case in a separate process.
@Execution(ExecutionMode.CONCURRENT)
class BackendStatusTest {
  private static final String NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED";
  private static final String VECTOR = "--add-modules=jdk.incubator.vector";

  /// Enables native access for a module that does not need it, and so disables it for all others.
  private static final List<String> NO_NATIVE_ACCESS =
      List.of("--enable-native-access=java.base", "--illegal-native-access=deny");

  /// Runs the program.
  ///
  /// @return its output lines that begin with a word in capitals
  private static List<String> ask(List<String> options, String... more)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(options);
    all.addAll(List.of(more));
    return JavaProcess.run(Program.class, all)
        .lines()
        .filter(line -> line.matches("[A-Z]+ .*"))
        .filter(line -> !line.startsWith("WARNING") && !line.startsWith("INFO"))
        .toList();
  }

  private static void assertStatus(
      List<String> lines,
      String name,
      boolean available,
      boolean asked,
      boolean degraded,
      String... reasons) {
    assertEquals(
        "STATUS %s available %s asked %s degraded %s".formatted(name, available, asked, degraded),
        lines.getFirst());
    List<String> found = lines.stream().filter(line -> line.startsWith("REASON")).toList();
    assertEquals(reasons.length, found.size(), lines.toString());
    for (int i = 0; i < reasons.length; i++) {
      assertTrue(found.get(i).contains(reasons[i]), found.get(i));
    }
  }

  @Test
  void theBestBackendIsNotDegraded() throws Exception {
    List<String> lines = ask(List.of(NATIVE_ACCESS));
    String best = Backends.tiers().getLast().label();
    assertStatus(lines, "native " + best, true, false, false);
    assertTrue(
        lines.getLast().startsWith("DESCRIBED backend native (tier " + best), lines.getLast());
  }

  @Test
  void anUnrequestedFallbackIsDegraded() throws Exception {
    String why = "not native because the native library could not be loaded";
    List<String> vector = ask(NO_NATIVE_ACCESS, VECTOR);
    assertStatus(vector, "vector none", true, false, true, why);
    assertTrue(
        vector.getLast().startsWith("DESCRIBED backend vector (Java Vector API, ")
            && vector.getLast().contains("; " + why),
        vector.getLast());
    assertStatus(
        ask(NO_NATIVE_ACCESS), "scalar none", true, false, true, why, "not vector because");
  }

  @Test
  void aRequestedFallbackIsNotDegraded() throws Exception {
    List<String> scalar = ask(List.of(NATIVE_ACCESS), "-Dpanoptim.backend=scalar");
    assertStatus(scalar, "scalar none", true, true, false);
    assertTrue(
        scalar.getLast().endsWith("chosen by the system property panoptim.backend"),
        scalar.getLast());
    List<String> tier =
        ask(List.of(NATIVE_ACCESS), "-Dpanoptim.backend=native", "-Dpanoptim.tier=baseline");
    assertStatus(tier, "native baseline", true, true, false);
  }

  @Test
  void unavailableBackendsAreReportedAndDoNotThrow() throws Exception {
    for (String[] wanted :
        new String[][] {
          {"native", "the native backend is unavailable: "},
          {"vector", "the vector backend is unavailable: "},
          {"cuda", "the cuda backend is unavailable: "},
          {"fast", "system property panoptim.backend is 'fast', but must be auto, native"},
        }) {
      List<String> lines = ask(NO_NATIVE_ACCESS, "-Dpanoptim.backend=" + wanted[0]);
      assertStatus(lines, wanted[0] + " none", false, true, true, wanted[1]);
      assertTrue(lines.getLast().startsWith("THREW " + wanted[1]), lines.getLast());
    }
  }

  @Test
  void reasonsAreCopied() {
    List<String> reasons = new ArrayList<>(List.of("a"));
    BackendStatus status =
        new BackendStatus("scalar", Optional.empty(), true, false, true, reasons, "x");
    reasons.add("b");
    assertEquals(List.of("a"), status.reasons());
    assertThrows(UnsupportedOperationException.class, () -> status.reasons().add("c"));
    assertFalse(status.tier().isPresent());
  }

  /// Prints the status and its description.
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) {
      BackendStatus status = Backends.status();
      System.out.printf(
          "STATUS %s %s available %s asked %s degraded %s%n",
          status.name(),
          status.tier().map(Tier::label).orElse("none"),
          status.available(),
          status.asked(),
          status.degraded());
      status.reasons().forEach(each -> System.out.println("REASON " + each));
      try {
        System.out.println("DESCRIBED " + Backends.describe());
      } catch (BackendUnavailableException | IllegalArgumentException e) {
        System.out.println("THREW " + e.getMessage());
      }
    }
  }
}
