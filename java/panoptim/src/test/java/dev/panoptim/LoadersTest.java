package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Several class loaders of one process load Panoptim, as in a server with several applications.
@Execution(ExecutionMode.CONCURRENT)
class LoadersTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"classpath", "layers"})
  void threeLoadersAreNativeAtOnceAndAreCollected(String kind) throws Exception {
    String output =
        JavaProcess.run(
            LoadersProbe.class,
            List.of("--enable-native-access=ALL-UNNAMED", "--illegal-native-access=deny"),
            kind,
            folder.toString());
    for (String each :
        List.of("SAME true", "WHILE LOADED true", "CREATED 30 of 30", "LEFT 0", "MAPPED false")) {
      assertTrue(output.contains(each), () -> "no '" + each + "' in:\n" + output);
    }
  }
}
