package dev.panoptim.bench;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/// PyTorch's default CPU step of the same training, in a Python process of the user's.
final class PyTorchPeer implements AutoCloseable {
  /// Names the Python, which must have torch and numpy.
  static final String PROPERTY = "panoptim.python";

  private final Process process;
  private final PrintStream commands;
  private final BufferedReader answers;
  private final Path folder;
  private final String version;

  /// @param optimizer an expression of `torch.optim` over `p`
  /// @param chain `step`, or `epilogue` for all that comes before and after it too
  /// @param count of tensors
  /// @param elements of each
  PyTorchPeer(String optimizer, String chain, int count, int elements, int threads)
      throws IOException {
    folder = Files.createTempDirectory("panoptim-bench");
    try (Parameters start = Training.start(count, elements);
        InputStream script = PyTorchPeer.class.getResourceAsStream("torch_steps.py")) {
      List<Parameter> all = start.all();
      process =
          new ProcessBuilder(
                  System.getProperty(PROPERTY),
                  "-c",
                  new String(script.readAllBytes(), StandardCharsets.UTF_8),
                  optimizer,
                  chain,
                  Integer.toString(threads),
                  Integer.toString(count),
                  write("data", all.stream().map(Parameter::data).toList()),
                  write("gradient", all.stream().map(Parameter::gradient).toList()))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
    }
    commands = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    answers = process.inputReader(StandardCharsets.UTF_8);
    try {
      version = answer();
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  /// Such as `PyTorch 2.13.0+cpu`.
  String version() {
    return version;
  }

  /// Makes steps.
  ///
  /// @return the nanoseconds that they took, as PyTorch's process measured them
  long step(int count) throws IOException {
    commands.println("step " + count);
    return Long.parseLong(answer());
  }

  /// A copy of the parameters as they are now, one after the other.
  MemorySegment data(Arena arena) throws IOException {
    Path file = folder.resolve("saved");
    commands.println("save " + file);
    answer();
    try (FileChannel channel = FileChannel.open(file)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    }
  }

  private String answer() throws IOException {
    String line = answers.readLine();
    if (line == null) {
      throw new IOException("PyTorch's process ended: see its error output");
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
    commands.close();
    process.destroy();
    for (String name : new String[] {"data", "gradient", "saved"}) {
      Files.deleteIfExists(folder.resolve(name));
    }
    Files.delete(folder);
  }
}
