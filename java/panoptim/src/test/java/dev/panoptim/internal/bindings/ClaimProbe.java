package dev.panoptim.internal.bindings;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// The program that [LeftoversTest] runs in a separate process. It locks a file as being written
/// until it is killed.
final class ClaimProbe {
  private ClaimProbe() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    try (FileChannel channel = FileChannel.open(Path.of(arguments[0]), StandardOpenOption.WRITE)) {
      Leftovers.claim(channel);
      System.out.println("!");
      Thread.currentThread().join();
    }
  }
}
