package dev.panoptim.javacpp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Trainings in processes of their own.
@Tag("natives")
class TorchProcessTest {
  private static final int STEPS = 12;

  /// The JVM warns of JavaCPP's constructor of a subclass of `Module`, with or without Panoptim.
  private static final String WARNED_OF_WITHOUT_US =
      "at org.bytedeco.pytorch.Module.allocate(Native Method)";

  @TempDir Path temporary;

  private Path folder(String name) throws Exception {
    return Files.createDirectory(temporary.resolve(name));
  }

  /// The output of a process that ends with an exit status.
  private static String output(Process process, int status) throws Exception {
    String output = new String(process.getInputStream().readAllBytes());
    assertEquals(status, process.waitFor(), output);
    return output;
  }

  private static String lastLine(String output) {
    String line = output.lines().toList().getLast();
    assertTrue(line.startsWith("weights "), output);
    return line;
  }

  @Test
  void aTrainingThatIsKilledResumesToTheSameBits() throws Exception {
    Path killed = folder("killed");
    Path whole = folder("whole");
    String begun =
        output(TrainingProgram.start(List.of(), killed, STEPS, 7), TrainingProgram.KILLED);
    assertTrue(begun.contains("training from 0"), begun);
    String resumed = output(TrainingProgram.start(List.of(), killed, STEPS, 0), 0);
    assertTrue(resumed.contains("training from 6"), resumed);
    String uninterrupted = output(TrainingProgram.start(List.of(), whole, STEPS, 0), 0);
    assertEquals(lastLine(uninterrupted), lastLine(resumed));
    String shorter = output(TrainingProgram.start(List.of(), folder("other"), STEPS - 1, 0), 0);
    assertNotEquals(lastLine(uninterrupted), lastLine(shorter));
  }

  @Test
  void theJvmFindsNoMisuseOfJni() throws Exception {
    String output =
        output(TrainingProgram.start(List.of("-Xcheck:jni"), folder("checked"), STEPS, 0), 0);
    lastLine(output);
    List<String> lines = output.lines().map(String::strip).toList();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).toLowerCase(Locale.ROOT);
      assertTrue(
          !line.contains("error")
              && (!line.contains("warning") || lines.get(i + 1).equals(WARNED_OF_WITHOUT_US)),
          output);
    }
  }
}
