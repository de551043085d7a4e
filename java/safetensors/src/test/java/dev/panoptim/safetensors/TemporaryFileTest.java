package dev.panoptim.safetensors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Leftover files of killed writers are removed; all other files are kept.
class TemporaryFileTest {
  private static final List<Tensor> TENSORS =
      List.of(Tensor.of("t", DType.U8, MemorySegment.ofArray(new byte[3]), 3));

  @TempDir private Path folder;

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(each -> each.getFileName().toString()).sorted().toList();
    }
  }

  private void write(String name) {
    SafetensorsWriter.write(folder.resolve(name), TENSORS, Map.of());
  }

  private Process startWriter() throws IOException {
    Process writer =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                "target/classes:target/test-classes",
                TemporaryFileProbe.class.getName(),
                folder.resolve("other").toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertEquals('0', writer.getInputStream().read());
    return writer;
  }

  @Test
  void leftoversOfAKilledProcessAreRemovedByTheNextWriter() throws Exception {
    startWriter().destroyForcibly().waitFor();
    assertEquals(1, names().size());
    write("name");
    assertEquals(List.of("name"), names());
  }

  @Test
  void filesOfALiveProcessStay() throws Exception {
    Process writer = startWriter();
    try {
      write("name");
      write("another");
      assertEquals(3, names().size());
    } finally {
      writer.destroyForcibly().waitFor();
    }
    write("name");
    assertEquals(List.of("another", "name"), names());
  }

  @Test
  void filesOfThisProcessStay() throws IOException {
    try (TemporaryFile file = TemporaryFile.beside(folder.resolve("other"))) {
      write("name");
      file.channel().write(ByteBuffer.wrap(new byte[5]));
      file.moveTo(folder.resolve("other"));
    }
    assertEquals(5, Files.size(folder.resolve("other")));
    assertEquals(List.of("name", "other"), names());
  }

  @Test
  void otherFilesStay() throws IOException {
    List<String> others = List.of(".safetensors-notes", ".safetensors-1", "x.tmp");
    for (String each : others) {
      Files.createFile(folder.resolve(each));
    }
    Files.createDirectory(folder.resolve(".safetensors-1-2-directory"));
    write("name");
    assertTrue(names().containsAll(others));
    assertEquals(5, names().size());
  }

  /// Opening the pipe for writing would block until a process reads from it.
  @Test
  void aPipeInTheDirectoryDoesNotBlock() throws Exception {
    Path pipe = folder.resolve(".safetensors-1-1-pipe");
    assumeTrue(
        new ProcessBuilder("mkfifo", pipe.toString()).inheritIO().start().waitFor() == 0,
        "there is no mkfifo");
    assertTimeoutPreemptively(Duration.ofSeconds(60), () -> write("name"));
    assertTrue(names().contains("name") && Files.exists(pipe));
  }

  @Test
  void concurrentWritersAllSucceed() throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        String name = "name" + i % 5;
        all.add(threads.submit(() -> write(name)));
      }
      for (Future<?> each : all) {
        each.get();
      }
    }
    assertEquals(List.of("name0", "name1", "name2", "name3", "name4"), names());
  }
}
