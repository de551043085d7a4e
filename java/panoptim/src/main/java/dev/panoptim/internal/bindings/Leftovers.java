package dev.panoptim.internal.bindings;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// Removes files and directories that killed extractions have left. Errors are ignored, so that no
/// extraction fails because of a leftover.
///
/// Thread-safe.
final class Leftovers {
  /// The suffix of a file that is being written. Its writer locks the file, and the lock ends with
  /// the process.
  static final String PARTIAL = ".partial";

  private static final String PROBE = ".probe";

  /// The age at which a temporary directory counts as unused; it is needed for less than a second.
  private static final Duration OLD = Duration.ofHours(1);

  private Leftovers() {}

  /// Removes unfinished files that no process is writing.
  ///
  /// @param directory a directory that only this user and root can write
  static void cleanFiles(Path directory) {
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(directory, "*{" + PARTIAL + "," + PROBE + "}")) {
      for (Path each : files) {
        deleteUnlessWritten(each);
      }
    } catch (IOException | DirectoryIteratorException e) {
      // The directory cannot be read, so it has no leftovers of this user.
      return;
    }
  }

  /// Locks a file, to show other processes that it is being written. The lock ends with the
  /// channel.
  static void claim(FileChannel channel) {
    try {
      channel.tryLock();
    } catch (IOException | OverlappingFileLockException e) {
      // The file system has no locks, or another process is about to delete the file as a leftover.
      // In the second case the file is written again.
      return;
    }
  }

  private static void deleteUnlessWritten(Path file) {
    try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        FileLock lock = channel.tryLock()) {
      if (lock != null) {
        Files.delete(file);
      }
    } catch (IOException | OverlappingFileLockException e) {
      // The file is being written, or another process has deleted it.
      return;
    }
  }

  /// Removes old directories that were made for one process.
  ///
  /// @param parent the directory to search
  /// @param prefix the beginning of the directories' names
  /// @param user the owner of the directories
  static void cleanDirectories(Path parent, String prefix, int user) {
    try (DirectoryStream<Path> all =
        Files.newDirectoryStream(
            parent, each -> each.getFileName().toString().startsWith(prefix))) {
      for (Path each : all) {
        Optional<UnixFile> found = UnixFile.find(each);
        if (found.isPresent()
            && found.get().isDirectory()
            && found.get().uid() == user
            && isOld(each)) {
          deleteDirectory(each);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // The next start of a process tries again.
      return;
    }
  }

  private static boolean isOld(Path directory) throws IOException {
    return Files.getLastModifiedTime(directory, LinkOption.NOFOLLOW_LINKS)
        .toInstant()
        .isBefore(Instant.now().minus(OLD));
  }

  /// Removes a directory and its files.
  static void deleteDirectory(Path directory) {
    try {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
        for (Path each : files) {
          Files.delete(each);
        }
      }
      Files.delete(directory);
    } catch (IOException | DirectoryIteratorException e) {
      // The next start of a process tries again.
      return;
    }
  }
}
