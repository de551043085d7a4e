package dev.panoptim.bench;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Another library's optimizer, which trains the same parameters in a separate process. Libraries
/// thus neither share native libraries nor delay each other with spinning threads.
///
/// The process receives files, such as the data and the gradients of all tensors. It prints its
/// name and version, then reads commands, one a line. `step N` makes N steps and prints their
/// nanoseconds. `save FILE` writes the data to a file and prints `saved`.
final class PeerProcess implements AutoCloseable {
  private static final String SAVED = "saved";

  private final Path folder;
  private final List<String> names = new ArrayList<>(List.of(SAVED));
  private Process process;
  private PrintStream commands;
  private BufferedReader answers;
  private String version;

  /// @param command to which the names of the files are appended, in order
  /// @param files names, and the content of each
  /// @param environment variables in addition to those of this process
  PeerProcess(
      List<String> command, Map<String, List<MemorySegment>> files, Map<String, String> environment)
      throws IOException {
    folder = Files.createTempDirectory("panoptim-bench");
    try {
      process = start(command, files, environment);
      commands = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
      answers = process.inputReader(StandardCharsets.UTF_8);
      version = answer();
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  /// A process that receives data and gradients of [Training#start].
  static PeerProcess training(
      List<String> command, TensorSizes sizes, Map<String, String> environment) throws IOException {
    try (Parameters start = Training.start(sizes)) {
      List<Parameter> all = start.all();
      Map<String, List<MemorySegment>> files = new LinkedHashMap<>();
      files.put("data", all.stream().map(Parameter::data).toList());
      files.put("gradient", all.stream().map(Parameter::gradient).toList());
      return new PeerProcess(command, files, environment);
    }
  }

  private Process start(
      List<String> command, Map<String, List<MemorySegment>> files, Map<String, String> environment)
      throws IOException {
    List<String> whole = new ArrayList<>(command);
    for (Map.Entry<String, List<MemorySegment>> each : files.entrySet()) {
      names.add(each.getKey());
      whole.add(write(each.getKey(), each.getValue()));
    }
    ProcessBuilder builder = new ProcessBuilder(whole);
    builder.environment().putAll(environment);
    return builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  /// Name and version, such as `PyTorch 2.13.0+cpu`.
  String version() {
    return version;
  }

  /// Makes steps.
  ///
  /// @return their nanoseconds, measured by the process
  long step(int count) throws IOException {
    commands.println("step " + count);
    return Long.parseLong(answer());
  }

  /// A copy of all current parameters, one after the other.
  MemorySegment data(Arena arena) throws IOException {
    Path file = folder.resolve(SAVED);
    commands.println("save " + file);
    answer();
    try (FileChannel channel = FileChannel.open(file)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    }
  }

  private String answer() throws IOException {
    String line = answers.readLine();
    if (line == null) {
      throw new IOException("the peer's process has ended; see its error output");
    }
    return line;
  }

  private String write(String name, List<MemorySegment> tensors) throws IOException {
    Path file = folder.resolve(name);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (MemorySegment each : tensors) {
        ByteBuffer bytes = each.asByteBuffer();
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
      }
    }
    return file.toString();
  }

  @Override
  public void close() throws IOException {
    if (process != null) {
      process.destroy();
      commands.close();
    }
    for (String name : names) {
      Files.deleteIfExists(folder.resolve(name));
    }
    Files.delete(folder);
  }
}
