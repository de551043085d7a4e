package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Applications that are undeployed without closing anything: a server can collect their class
/// loaders, and all their memory is freed.
@Execution(ExecutionMode.CONCURRENT)
class UndeployedTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"native", "small", "shared", "finalized", "gpu"})
  void objectsOfStaticFieldsAreCollectedAndFreed(String kind) throws Exception {
    ProcessBuilder program =
        JavaProcess.of(
            UndeployedProbe.class,
            List.of(
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx64m",
                "-XX:+AlwaysPreTouch",
                "-XX:+UseSerialGC",
                "-Dpanoptim.exhaustive=" + Boolean.getBoolean("panoptim.exhaustive"),
                "-Dpanoptim.cuda.library=" + System.getProperty("panoptim.cuda.library")),
            kind,
            folder.toString());
    program.environment().put("PANOPTIM_EMULATED_DEVICES", "1");
    // With this threshold, free() returns memory to the system at once. The emulated GPU's memory
    // is allocated in this way too.
    program.environment().put("MALLOC_MMAP_THRESHOLD_", "65536");
    String output = JavaProcess.run(program);
    for (String each : List.of("IN USE true", "COLLECTED true", "FREED true", "UNMAPPED true")) {
      assertTrue(output.contains(each), () -> "no '" + each + "' in:\n" + output);
    }
  }
}
