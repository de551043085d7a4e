package dev.panoptim.safetensors;

import java.io.IOException;
import java.nio.file.Path;

/// The program that [TemporaryFileTest] runs in another process and kills during a write.
final class TemporaryFileProbe {
  private TemporaryFileProbe() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    try (TemporaryFile file = TemporaryFile.beside(Path.of(arguments[0]))) {
      System.out.println(file.channel().size());
      Thread.currentThread().join();
    }
  }
}
