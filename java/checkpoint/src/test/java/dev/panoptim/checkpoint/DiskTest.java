package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// If the disk accepts no more data, the error is clear and the earlier checkpoint stays intact.
class DiskTest {
  @TempDir Path temporary;

  /// Runs a program whose first step can be saved and whose later steps cannot.
  ///
  /// @param prepared shell commands that run before the program, with the variable `$folder`; they
  ///   run in separate namespaces, so that their mounts vanish with them
  /// @param afterwards shell commands that run after the program; their output is returned too
  private String run(String prepared, String afterwards, String... wrapper) throws Exception {
    Path folder = Files.createDirectories(temporary.resolve("folder"));
    List<String> command = new ArrayList<>(List.of(wrapper));
    String script = prepared + "\n\"$@\" 2>&1\necho \"exit $?\"\n" + afterwards;
    command.addAll(List.of("sh", "-c", script, "sh"));
    command.addAll(TraineeProgram.process(folder, 40).command());
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("folder", folder.toString());
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes());
    process.waitFor();
    return output;
  }

  /// Saves once while there is room, so that a checkpoint could be lost.
  private Path saved() {
    Path folder = temporary.resolve("folder");
    try (Trainee trainee = TraineeProgram.trainee()) {
      trainee.trainTo(2);
      return CheckpointFolder.of(folder, 3).save(trainee.training(), 2, Map.of());
    }
  }

  private static void assumeNamespaces() throws Exception {
    boolean can =
        new ProcessBuilder("unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt")
                .redirectErrorStream(true)
                .start()
                .waitFor()
            == 0;
    assumeTrue(can, "this system lets nobody mount a small disk (unshare -rm)");
  }

  @Test
  void aFullDiskKeepsThePreviousCheckpoint() throws Exception {
    assumeNamespaces();
    Path kept = temporary.resolve("kept");
    // Room for one and a half checkpoints.
    String output =
        run(
            "mount -t tmpfs -o size=1500k tmpfs \"$folder\"",
            "ls -A \"$folder\"; cp \"$folder\"/step-*.safetensors " + kept,
            "unshare",
            "-rm");
    assertTrue(output.contains("No space left on device"), output);
    assertTrue(output.contains("the checkpoint of step"), output);
    assertTrue(output.contains("exit 1"), output);
    assertTrue(!output.contains(".tmp"), output);
    try (Checkpoint checkpoint = Checkpoint.open(kept);
        Trainee continued = TraineeProgram.trainee()) {
      continued.resume(checkpoint);
      assertEquals(3, continued.step());
    }
  }

  @Test
  void aReadOnlyFolderKeepsThePreviousCheckpoint() throws Exception {
    assumeNamespaces();
    Path before = saved();
    byte[] bytes = Files.readAllBytes(before);
    String output =
        run(
            "mount --bind \"$folder\" \"$folder\" && mount -o remount,ro,bind \"$folder\"",
            "",
            "unshare",
            "-rm");
    assertTrue(output.contains("training from 2"), output);
    assertTrue(output.contains("Read-only file system"), output);
    assertTrue(output.contains("exit 1"), output);
    assertEquals(-1, Arrays.mismatch(bytes, Files.readAllBytes(before)));
  }

  /// This test mounts nothing, so it runs on every system.
  @Test
  void aFileSizeLimitKeepsThePreviousCheckpoint() throws Exception {
    Path before = saved();
    byte[] bytes = Files.readAllBytes(before);
    // The limit is in blocks of 512 bytes and is smaller than a checkpoint.
    String output = run("ulimit -f 1000", "ls -A \"$folder\"");
    assertTrue(output.contains("training from 2"), output);
    assertTrue(output.contains("File too large"), output);
    assertTrue(output.contains("exit 1"), output);
    assertTrue(!output.contains(".tmp"), output);
    assertEquals(List.of(before), CheckpointFolder.of(temporary.resolve("folder"), 3).files());
    assertEquals(-1, Arrays.mismatch(bytes, Files.readAllBytes(before)));
  }
}
