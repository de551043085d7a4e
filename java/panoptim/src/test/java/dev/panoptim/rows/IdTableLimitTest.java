package dev.panoptim.rows;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.JavaProcess;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Rows beyond `panoptim.memory.limit` are refused, and the table learns on. Also in plain Java,
/// where native access is denied.
class IdTableLimitTest {
  @Test
  void aTableThatMayNotGrowLearnsOn() throws Exception {
    for (List<String> options :
        List.of(
            List.of("--enable-native-access=ALL-UNNAMED"),
            List.of("--enable-native-access=java.base", "--illegal-native-access=deny"))) {
      List<String> all = new java.util.ArrayList<>(options);
      all.add("-Dpanoptim.memory.limit=20m");
      String output = JavaProcess.run(IdTableLimitProbe.class, all);
      for (String each :
          List.of("first values kept", "steps kept", "names the limit", "learns on")) {
        assertTrue(output.contains("YES " + each), output);
      }
      assertFalse(output.contains("NO "), output);
      assertTrue(output.matches("(?s).*ROWS (2[5-9]|3\\d)\\s.*"), output);
    }
  }
}
