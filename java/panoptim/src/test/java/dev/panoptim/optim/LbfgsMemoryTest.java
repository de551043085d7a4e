package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.JavaProcess;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// A history beyond `panoptim.memory.limit` is refused, and the parameters stay at an evaluated
/// point.
@Execution(ExecutionMode.CONCURRENT)
class LbfgsMemoryTest {
  @Test
  void aHistoryBeyondTheLimitIsRefused() throws Exception {
    String output =
        JavaProcess.run(
            LbfgsMemoryProbe.class,
            List.of("--enable-native-access=ALL-UNNAMED", "-Dpanoptim.memory.limit=20m"));
    assertTrue(output.contains("DONE"), output);
    assertTrue(output.contains("bytes for states are not allocated"), output);
  }
}
