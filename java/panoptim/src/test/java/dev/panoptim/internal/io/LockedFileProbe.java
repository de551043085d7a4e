package dev.panoptim.internal.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// The program that [LockedFileTest] runs in a separate process. It either holds a file until it is
/// killed, or prints whether another process holds it.
final class LockedFileProbe {
  private LockedFileProbe() {}

  public static void main(String[] arguments) throws IOException {
    Path file = Path.of(arguments[0]);
    if (arguments.length > 1) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
          FileLock lock = channel.tryLock()) {
        System.out.println(lock == null ? "locked by another" : "free");
      }
      return;
    }
    LockedFile.use(
        file,
        channel -> {
          System.out.println("!");
          try {
            Thread.currentThread().join();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
          return null;
        });
  }
}
