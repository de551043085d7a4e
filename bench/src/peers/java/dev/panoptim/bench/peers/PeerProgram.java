package dev.panoptim.bench.peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.IntStream;

/// Makes steps of another library's optimizer, in a separate process, on the commands of a
/// benchmark.
///
/// Arguments: OPTIMIZER THREADS TENSORS DATA GRADIENT. DATA and GRADIENT are files of float32 that
/// are split into TENSORS equal parts. Prints the library's name and version, then reads commands
/// from standard input: `step N` makes N steps and prints their nanoseconds, `save FILE` writes the
/// parameters and prints `saved`. `torch_steps.py` has the same protocol.
final class PeerProgram {
  /// Parameters, their gradients, and a library's optimizer for them.
  interface Training {
    /// The library's name and version.
    String library() throws IOException;

    /// Restores inputs that the previous step has overwritten. Not timed.
    default void prepare() {}

    void step();

    /// Copies a parameter's elements.
    void read(int tensor, FloatBuffer into);
  }

  /// Sets a library up.
  @FunctionalInterface
  interface Library {
    /// Copies data and gradients into memory of the library, as its users have it. The buffers are
    /// invalid after the call.
    ///
    /// @throws IllegalArgumentException if the library does not have the optimizer
    Training start(
        String optimizer, int threads, List<FloatBuffer> data, List<FloatBuffer> gradients);
  }

  private PeerProgram() {}

  /// Executes the commands on standard input until its end.
  static void run(String[] arguments, Library library) throws IOException {
    // Libraries print messages to standard output, which is for answers only.
    PrintStream answers = System.out;
    System.setOut(System.err);
    int tensors = Integer.parseInt(arguments[2]);
    Path data = Path.of(arguments[3]);
    Training training;
    long bytes;
    try (Arena arena = Arena.ofConfined();
        FileChannel first = FileChannel.open(data);
        FileChannel second = FileChannel.open(Path.of(arguments[4]))) {
      bytes = first.size();
      training =
          library.start(
              arguments[0],
              Integer.parseInt(arguments[1]),
              parts(first.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena), tensors),
              parts(second.map(FileChannel.MapMode.READ_ONLY, 0, second.size(), arena), tensors));
    }
    answers.println(training.library());
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      String[] command = line.split(" ", 2);
      switch (command[0]) {
        case "step" -> answers.println(timed(training, Integer.parseInt(command[1])));
        case "save" -> {
          save(training, tensors, bytes, Path.of(command[1]));
          answers.println("saved");
        }
        default -> throw new IllegalArgumentException("no such command: " + line);
      }
    }
  }

  private static long timed(Training training, int count) {
    long elapsed = 0;
    for (int i = 0; i < count; i++) {
      training.prepare();
      long start = System.nanoTime();
      training.step();
      elapsed += System.nanoTime() - start;
    }
    return elapsed;
  }

  private static void save(Training training, int tensors, long bytes, Path file)
      throws IOException {
    try (Arena arena = Arena.ofConfined();
        FileChannel channel =
            FileChannel.open(
                file,
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
      List<FloatBuffer> parts =
          parts(channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena), tensors);
      for (int i = 0; i < tensors; i++) {
        training.read(i, parts.get(i));
      }
    }
  }

  private static List<FloatBuffer> parts(MemorySegment whole, int count) {
    long bytes = whole.byteSize() / count;
    return IntStream.range(0, count)
        .mapToObj(i -> whole.asSlice(i * bytes, bytes).asByteBuffer())
        .map(each -> each.order(ByteOrder.nativeOrder()).asFloatBuffer())
        .toList();
  }
}
