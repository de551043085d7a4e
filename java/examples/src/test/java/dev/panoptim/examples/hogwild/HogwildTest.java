package dev.panoptim.examples.hogwild;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.examples.console.ConsoleRun;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Two JVMs that train one model.
class HogwildTest {
  private static String run(String... arguments) {
    return ConsoleRun.of(Hogwild::commandLine, arguments);
  }

  private static double number(String pattern, String text) {
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    assertTrue(matcher.find(), text);
    return Double.parseDouble(matcher.group(1).replace(",", ""));
  }

  @Test
  void twoProcessesTrainOneModelWithoutLosingAStep() {
    String said = run("--workers", "2", "--steps", "3000");
    assertEquals(6000, number("steps counted +([0-9,]+)", said));
    assertTrue(number("accuracy before +([0-9.]+)%", said) < 60, said);
    double together = number("accuracy after +([0-9.]+)%", said);
    assertTrue(together > 85, said);
    Set<String> processes = new HashSet<>();
    Matcher made = Pattern.compile("process ([0-9]+) made 3,000 steps").matcher(said);
    while (made.find()) {
      processes.add(made.group(1));
    }
    assertEquals(2, processes.size(), said);
    assertTrue(Pattern.compile("saw [1-9][0-9,]* of others").matcher(said).find(), said);
    // Half the steps, with half the examples, reach a lower accuracy.
    String alone = run("--workers", "1", "--steps", "3000");
    assertTrue(number("accuracy after +([0-9.]+)%", alone) < together, alone + said);
  }
}
