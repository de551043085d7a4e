package dev.panoptim.internal.table;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.JavaProcess;
import java.util.List;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// An index that must not grow beyond `panoptim.memory.limit` stays usable, with and without native
/// access.
@Execution(ExecutionMode.CONCURRENT)
class IdIndexMemoryTest {
  @ParameterizedTest
  @ValueSource(strings = {"--enable-native-access=ALL-UNNAMED", "--illegal-native-access=deny"})
  void aRefusalLeavesTheIndexUsable(String access) throws Exception {
    String output =
        JavaProcess.run(IdIndexMemoryProbe.class, List.of(access, "-Dpanoptim.memory.limit=2m"));
    assertTrue(output.contains("DONE"), output);
  }
}
