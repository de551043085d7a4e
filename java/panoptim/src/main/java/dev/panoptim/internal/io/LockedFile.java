package dev.panoptim.internal.io;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Gives one thread of all processes at a time exclusive access to a file.
///
/// A file lock belongs to a whole process. Threads of one process therefore also synchronize on a
/// monitor. The monitor must be the same object for all class loaders, so it is an interned string.
/// A thread must not even open the file before it holds the monitor: a process loses its lock when
/// it closes any other channel of the file.
///
/// Thread-safe.
public final class LockedFile {
  private static final long SHORTEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(1);
  private static final long LONGEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(50);

  /// How long to wait for a lock that other code in this process holds. This thread's own caller
  /// may hold it, and then it would never become free.
  private static final long LONGEST_WAIT = TimeUnit.MINUTES.toNanos(1);

  /// An action on the locked file.
  ///
  /// @param <T> the type of the result
  public interface Action<T> {
    /// @param channel a channel for reading and writing the file; it is closed afterwards
    T run(FileChannel channel) throws IOException;
  }

  private LockedFile() {}

  /// Waits until the file is free, locks it and runs an action. An interrupt does not end the wait;
  /// the thread's interrupt status is restored afterwards.
  ///
  /// @param file the file; it is created if it does not exist
  /// @param action the action to run while the file is locked
  /// @return the result of the action
  /// @throws IllegalStateException if this thread holds the file already, or other code in this
  ///   process has held its lock for a minute
  /// @throws IOException if the file cannot be opened or locked, or the action throws it
  public static <T> T use(Path file, Action<T> action) throws IOException {
    String monitor = monitor(file);
    if (Thread.holdsLock(monitor)) {
      throw new IllegalStateException(file + " is in use by this thread already");
    }
    synchronized (monitor) {
      boolean interrupted = Thread.interrupted();
      try {
        FileLock lock = lock(file);
        try (FileChannel channel = lock.channel();
            lock) {
          interrupted |= Thread.interrupted();
          return action.run(channel);
        }
      } finally {
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }

  /// The caller must keep the lock reachable, because the JVM releases unreachable locks.
  private static FileLock lock(Path file) throws IOException {
    boolean interrupted = false;
    long begin = System.nanoTime();
    FileChannel channel = open(file);
    try {
      for (long pause = SHORTEST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
        try {
          // The lock is polled. A blocking request would let the system search for deadlocks
          // between processes; it would report one if two threads of each of two processes wait for
          // two files.
          FileLock lock = channel.tryLock();
          if (lock != null) {
            return lock;
          }
        } catch (ClosedByInterruptException | FileLockInterruptionException e) {
          // The interrupt has closed the channel.
          interrupted |= Thread.interrupted();
          channel = open(file);
          continue;
        } catch (OverlappingFileLockException e) {
          // Other code in this process holds the lock, perhaps this thread's own caller.
          if (System.nanoTime() - begin > LONGEST_WAIT) {
            throw new IllegalStateException(file + " is locked by other code in this process", e);
          }
        }
        LockSupport.parkNanos(pause);
        interrupted |= Thread.interrupted();
      }
    } catch (Throwable e) {
      channel.close();
      throw e;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static FileChannel open(Path file) throws IOException {
    return FileChannel.open(
        file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  /// The monitor of a file in this process, independent of the path. The key is the system's
  /// identity of the file, which the JVM also uses for its file locks.
  private static String monitor(Path file) throws IOException {
    if (!Files.exists(file)) {
      try {
        Files.createFile(file);
      } catch (FileAlreadyExistsException e) {
        // Another process has created the file, or the path is a link to a missing file.
      }
    }
    Object key = file.toAbsolutePath().normalize();
    try {
      Object identity = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
      key = identity == null ? file.toRealPath() : identity;
    } catch (NoSuchFileException e) {
      // The path is a link to a missing file; opening it will create the file.
    }
    return ("dev.panoptim.internal.io.LockedFile " + key).intern();
  }
}
