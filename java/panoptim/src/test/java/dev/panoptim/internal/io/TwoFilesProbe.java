package dev.panoptim.internal.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/// Two threads that repeatedly lock one file each. If two processes run the program, each process
/// soon holds one file and waits for the other.
final class TwoFilesProbe {
  private static final int TIMES = 100;
  private static final long HELD_NANOS = 1_000_000;

  private TwoFilesProbe() {}

  public static void main(String[] files) throws InterruptedException {
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread other = Thread.ofPlatform().start(() -> use(Path.of(files[0]), failure));
    use(Path.of(files[1]), failure);
    other.join();
    if (failure.get() != null) {
      throw new AssertionError("a file was refused", failure.get());
    }
  }

  private static void use(Path file, AtomicReference<Throwable> failure) {
    try {
      for (int i = 0; i < TIMES; i++) {
        LockedFile.use(
            file,
            channel -> {
              LockSupport.parkNanos(HELD_NANOS);
              return null;
            });
      }
    } catch (IOException | RuntimeException e) {
      failure.set(e);
    }
  }
}
