package dev.panoptim.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Trainings that are closed or killed and continue from a checkpoint, and a JVM that checks calls
/// of JNI.
@Tag("natives")
class ProcessTest {
  private static final int STEPS = 30;
  private static final int LONGEST_MINUTES = 10;

  @TempDir Path folder;

  private Process start(Path checkpoints, Path result, String... options) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(List.of(options));
    command.add("--enable-native-access=ALL-UNNAMED");
    for (String property : new String[] {"ai.djl.offline", "DJL_CACHE_DIR"}) {
      if (System.getProperty(property) != null) {
        command.add("-D" + property + "=" + System.getProperty(property));
      }
    }
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("java.class.path"),
            TrainingProgram.class.getName(),
            checkpoints.toString(),
            "" + STEPS,
            result.toString()));
    return new ProcessBuilder(command).redirectError(folder.resolve("errors.txt").toFile()).start();
  }

  private String finish(Process process, Path result) throws Exception {
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(LONGEST_MINUTES, TimeUnit.MINUTES));
    assertEquals(0, process.exitValue(), () -> output + errors());
    assertTrue(output.endsWith("done\n"), output);
    return Files.readString(result);
  }

  private String errors() {
    try {
      return Files.readString(folder.resolve("errors.txt"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  private String uninterrupted() throws Exception {
    return TrainingProgram.train(folder.resolve("uninterrupted"), STEPS, Integer.MAX_VALUE);
  }

  @Test
  void aClosedTrainingContinuesWithTheSameBits() throws Exception {
    Path checkpoints = folder.resolve("closed");
    TrainingProgram.train(checkpoints, STEPS, 11);
    String continued = TrainingProgram.train(checkpoints, STEPS, Integer.MAX_VALUE);
    assertEquals(uninterrupted(), continued);
  }

  @Test
  void aKilledTrainingContinuesWithTheSameBits() throws Exception {
    Path checkpoints = folder.resolve("killed");
    Path result = folder.resolve("result");
    int killedAfter = 1 + new Random().nextInt(STEPS - 5);
    Process victim = start(checkpoints, result);
    try (BufferedReader output = victim.inputReader()) {
      String line;
      do {
        line = output.readLine();
        assertFalse(line == null, this::errors);
      } while (!line.equals("step " + killedAfter));
    } finally {
      victim.destroyForcibly().waitFor();
    }
    assertFalse(Files.exists(result), "killed after step " + killedAfter);
    assertEquals(
        uninterrupted(),
        finish(start(checkpoints, result), result),
        () -> "killed after step " + killedAfter);
  }

  @Test
  void jniChecksFindNothing() throws Exception {
    Path result = folder.resolve("result");
    Process process =
        start(folder.resolve("checked"), result, "-Xcheck:jni", "-Dai.djl.pytorch.num_threads=1");
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(LONGEST_MINUTES, TimeUnit.MINUTES));
    assertEquals(0, process.exitValue(), () -> output + errors());
    String all = output + errors();
    assertFalse(all.contains("FATAL ERROR in native method"), all);
    // DJL's own code is warned of when it loads its engine, and never after that.
    assertTrue(output.contains("\nstep 1\n"), all);
    String afterFirstStep = output.substring(output.indexOf("\nstep 1\n")) + errors();
    assertFalse(afterFirstStep.contains("in native method"), all);
    assertFalse(all.contains("at " + PanoptimTrainer.class.getName()), all);
    assertEquals(uninterrupted(), Files.readString(result));
  }
}
