package dev.panoptim.safetensors;

import java.io.IOException;
import java.nio.file.Path;

/// What [TemporaryFileTest] runs in a process of its own, and kills while it writes.
final class TemporaryFileProbe {
  private TemporaryFileProbe() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    try (TemporaryFile file = TemporaryFile.beside(Path.of(arguments[0]))) {
      System.out.println(file.channel().size());
      Thread.currentThread().join();
    }
  }
}
