package dev.panoptim.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panoptim.JavaProcess;
import java.util.List;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// An optimizer that requests any number of threads gets at most the number of available
/// processors. A JVM option stands for a container's CPU limit here.
@Execution(ExecutionMode.CONCURRENT)
class ProcessorsTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void threadsAreCappedByTheProcessorsOfTheContainer(int processors) throws Exception {
    String output =
        JavaProcess.run(
            ProcessorsProbe.class,
            List.of(
                "--enable-native-access=ALL-UNNAMED", "-XX:ActiveProcessorCount=" + processors));
    String expected = "at most %d threads, %d helpers".formatted(processors, processors - 1);
    assertEquals(
        expected,
        output.lines().filter(each -> each.startsWith("at most")).findFirst().orElse(output));
  }
}
