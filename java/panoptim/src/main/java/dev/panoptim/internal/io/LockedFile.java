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

/// A file that one thread of all processes has at a time.
///
/// A file's lock belongs to a whole process. Threads of one process therefore take turns by a
/// monitor, which must be the same object for all class loaders: an interned string. A thread must
/// not even open the file before its turn, because a process loses its lock when it closes any
/// other channel on the file.
///
/// Thread-safe.
public final class LockedFile {
  private static final long SHORTEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(1);
  private static final long LONGEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(50);

  /// How long a lock is waited for that something else than this class holds in this process. It
  /// may be held by this thread's own caller, and then would never be free.
  private static final long LONGEST_WAIT = TimeUnit.MINUTES.toNanos(1);

  /// What is done with the file.
  ///
  /// @param <T> its result
  public interface Action<T> {
    /// @param channel reads and writes the file; is closed afterwards
    T run(FileChannel channel) throws IOException;
  }

  private LockedFile() {}

  /// Waits until the file is free, locks it, and does something with it. To be interrupted
  /// meanwhile does not end the waiting; the thread's interrupt status is set again afterwards.
  ///
  /// @param file is created where there is none
  /// @throws IllegalStateException if this thread has the file already, or something else than this
  ///   class has it locked in this process for a minute
  /// @throws IOException if the file cannot be opened or locked, or the action throws it
  public static <T> T use(Path file, Action<T> action) throws IOException {
    String turn = turn(file);
    if (Thread.holdsLock(turn)) {
      throw new IllegalStateException(file + " is in use by this thread already");
    }
    synchronized (turn) {
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

  /// The caller must hold on to the lock, because the virtual machine forgets locks that cannot be
  /// reached.
  private static FileLock lock(Path file) throws IOException {
    boolean interrupted = false;
    long begin = System.nanoTime();
    FileChannel channel = open(file);
    try {
      for (long pause = SHORTEST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
        try {
          // Asked again and again: a system that waits for the lock looks for deadlocks between
          // processes, and takes two threads of each that wait for two files for one.
          FileLock lock = channel.tryLock();
          if (lock != null) {
            return lock;
          }
        } catch (ClosedByInterruptException | FileLockInterruptionException e) {
          // It has closed the channel.
          interrupted |= Thread.interrupted();
          channel = open(file);
          continue;
        } catch (OverlappingFileLockException e) {
          // Something else in this process has locked it, perhaps this thread's own caller.
          if (System.nanoTime() - begin > LONGEST_WAIT) {
            throw new IllegalStateException(
                file + " is locked by something else in this process", e);
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

  /// The monitor for a file, under whatever path, in this process. It is found by what identifies
  /// the file to the system, as the Java virtual machine finds the locks of files.
  private static String turn(Path file) throws IOException {
    if (!Files.exists(file)) {
      try {
        Files.createFile(file);
      } catch (FileAlreadyExistsException e) {
        // Another process was faster, or it is a link to nowhere.
      }
    }
    Object key = file.toAbsolutePath().normalize();
    try {
      Object identity = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
      key = identity == null ? file.toRealPath() : identity;
    } catch (NoSuchFileException e) {
      // Opening the file creates it where the link leads.
    }
    return ("dev.panoptim.internal.io.LockedFile " + key).intern();
  }
}
