package dev.panoptim.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.JavaProcess;
import dev.panoptim.memory.Parameters;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Allocations beyond `panoptim.memory.limit` are rejected and change nothing.
@Execution(ExecutionMode.CONCURRENT)
class MemoryLimitTest {
  private static final String NATIVE = "--enable-native-access=ALL-UNNAMED";

  @Test
  void allocationsBeyondTheLimitAreRejectedAndChangeNothing() throws Exception {
    String output =
        JavaProcess.run(MemoryLimitProbe.class, List.of(NATIVE, "-Dpanoptim.memory.limit=20m"));
    assertTrue(output.contains("DONE"), output);
  }

  @Test
  void anIllegalLimitIsRejectedByName() throws Exception {
    String output = JavaProcess.run(Illegal.class, List.of(NATIVE, "-Dpanoptim.memory.limit=lots"));
    assertEquals(
        "REFUSED system property panoptim.memory.limit is 'lots', but must be none or a number of"
            + " bytes below 2^63, with k, m, g or t for powers of 1024",
        output.lines().filter(line -> line.startsWith("REFUSED")).findFirst().orElse(output));
  }

  /// Allocates under a malformed limit.
  static final class Illegal {
    private Illegal() {}

    public static void main(String[] arguments) {
      try {
        Parameters.builder().add("p", 1).build().close();
      } catch (IllegalArgumentException e) {
        System.out.println("REFUSED " + e.getMessage());
      }
    }
  }

  @Test
  void theDefaultLimitIsNamedInErrors() {
    MemoryUse memory = Metrics.snapshot().memory();
    assertTrue(memory.limit() > 0);
    long elements = memory.limit() / 4;
    if (memory.limit() < Long.MAX_VALUE) {
      var e =
          assertThrows(
              OutOfMemoryError.class, () -> Parameters.builder().add("p", elements).build());
      assertTrue(e.getMessage().contains("panoptim.memory.limit; by default"), e.getMessage());
    }
  }
}
