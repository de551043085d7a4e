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

/// Removes what extractions have left that were killed. What cannot be removed stays: no extraction
/// fails for it.
final class Leftovers {
  /// A file that is being written. Its writer holds its lock, which ends with the process.
  static final String PARTIAL = ".partial";

  private static final String PROBE = ".probe";

  /// How long a fresh directory is taken to be in use; it is needed for less than a second.
  private static final Duration OLD = Duration.ofHours(1);

  private Leftovers() {}

  /// Removes unfinished files that no process is writing.
  ///
  /// @param directory one that nobody else can write
  static void cleanFiles(Path directory) {
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(directory, "*{" + PARTIAL + "," + PROBE + "}")) {
      for (Path each : files) {
        deleteUnlessWritten(each);
      }
    } catch (IOException | DirectoryIteratorException e) {
      // It cannot be read, and so holds nothing that could be removed.
      return;
    }
  }

  /// Says by a lock that a file is being written, while the channel is open.
  static void claim(FileChannel channel) {
    try {
      channel.tryLock();
    } catch (IOException | OverlappingFileLockException e) {
      // The file system has no locks, or somebody takes the file for a leftover just now: then it
      // is gone in a moment, and is written again.
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
      // It is being written, or somebody else has removed it.
      return;
    }
  }

  /// Removes old directories that were made for one process.
  ///
  /// @param parent where they are
  /// @param prefix of their names
  /// @param user whose they are
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
      // Another start tries again.
      return;
    }
  }

  private static boolean isOld(Path directory) throws IOException {
    return Files.getLastModifiedTime(directory, LinkOption.NOFOLLOW_LINKS)
        .toInstant()
        .isBefore(Instant.now().minus(OLD));
  }

  /// Removes a directory of one process with the files in it.
  static void deleteDirectory(Path directory) {
    try {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
        for (Path each : files) {
          Files.delete(each);
        }
      }
      Files.delete(directory);
    } catch (IOException | DirectoryIteratorException e) {
      // Another start tries again.
      return;
    }
  }
}
