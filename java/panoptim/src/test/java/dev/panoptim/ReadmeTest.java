package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The README is short, and its program prints the text that the README says.
class ReadmeTest {
  @Test
  void theReadmeIsShort() {
    long lines = Repository.DOCUMENTS.get("README.md").lines().count();
    assertTrue(lines <= 150, "README.md has " + lines + " lines, but should have at most 150");
  }

  @Test
  void theProgramOfTheReadmeRunsAsGiven(@TempDir Path folder)
      throws IOException, InterruptedException {
    String readme = Repository.DOCUMENTS.get("README.md");
    String program =
        Repository.BLOCK
            .matcher(readme)
            .results()
            .filter(each -> each.group(2).contains("void main()"))
            .map(each -> each.group(2))
            .findFirst()
            .orElseThrow();
    Path file = Files.writeString(folder.resolve("Line.java"), program);
    String output =
        JavaProcess.run(
            new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                "target/classes",
                file.toString()));
    String printed = output.lines().toList().getLast();
    assertTrue(readme.contains("prints `" + printed + "`"), output);
  }
}
