package dev.panoptim.safetensors;

import dev.panoptim.safetensors.internal.RegularFiles;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.UUID;

/// A temporary file in the folder of the final file. It is either renamed to the final file or
/// removed.
///
/// Its writer locks the file, and the lock ends with the process. The next writer in the same
/// folder therefore recognizes the files of killed processes and removes them.
///
/// Not thread-safe.
final class TemporaryFile implements AutoCloseable {
  private static final String PREFIX = ".safetensors-";

  /// Matches all temporary files: the name has the process number, its start time and a random
  /// number.
  private static final String ALL = PREFIX + "[0-9]*-[0-9]*-*";

  /// The same for all class loaders of this process, and different in every other process.
  private static final String OF_THIS_PROCESS =
      PREFIX
          + ProcessHandle.current().pid()
          + "-"
          + ProcessHandle.current().info().startInstant().map(Instant::toEpochMilli).orElse(0L)
          + "-";

  private static final int MOST_TRIES = 10;

  private final Path path;
  private final FileChannel channel;

  private TemporaryFile(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  /// @throws IOException if something that is not a regular file would be replaced
  static TemporaryFile beside(Path file) throws IOException {
    Path directory = file.toAbsolutePath().getParent();
    for (int tries = 1; ; tries++) {
      Path path = directory.resolve(OF_THIS_PROCESS + UUID.randomUUID());
      TemporaryFile made = new TemporaryFile(path, RegularFiles.createFor(file, path));
      if (made.isClaimed() || tries == MOST_TRIES) {
        made.removeLeftovers();
        return made;
      }
      // Another process took the new file for a leftover, before it was locked.
      made.close();
    }
  }

  FileChannel channel() {
    return channel;
  }

  /// Renames the file and replaces an existing one.
  void moveTo(Path file) throws IOException {
    if (!hasLocks()) {
      // A file in an archive is complete only when its channel is closed.
      channel.close();
    }
    // The file is still locked; otherwise another process could remove it before the move.
    // REPLACE_EXISTING is for file systems without atomic moves; an atomic move replaces the file
    // anyway.
    Files.move(path, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  @Override
  public void close() throws IOException {
    try (channel) {
      Files.deleteIfExists(path);
    }
  }

  /// Locks the file. The system keeps the lock until the channel is closed.
  private boolean isClaimed() {
    if (!hasLocks()) {
      return true;
    }
    try {
      return channel.tryLock() != null && Files.exists(path);
    } catch (IOException e) {
      // The file system has no locks, so that no other process removes the file.
      return true;
    }
  }

  /// Whether other processes can see the file system. Only the default one is shared.
  private boolean hasLocks() {
    return path.getFileSystem() == FileSystems.getDefault();
  }

  private void removeLeftovers() {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(path.getParent(), ALL)) {
      for (Path each : files) {
        // A second open and close of this process's files would release the lock.
        if (!each.getFileName().toString().startsWith(OF_THIS_PROCESS) && isOwnFile(each)) {
          removeUnlessClaimed(each);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // The folder may be writable but not readable.
      return;
    }
  }

  /// Whether a path is a regular file of this process's user. Opening a pipe of another user would
  /// block.
  private boolean isOwnFile(Path found) throws IOException {
    if (!Files.isRegularFile(found, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    try {
      return Files.getOwner(found, LinkOption.NOFOLLOW_LINKS)
          .equals(Files.getOwner(path, LinkOption.NOFOLLOW_LINKS));
    } catch (UnsupportedOperationException noOwners) {
      return true;
    }
  }

  private static void removeUnlessClaimed(Path file) {
    try (FileChannel opened =
            FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        FileLock lock = opened.tryLock()) {
      if (lock != null) {
        Files.delete(file);
      }
    } catch (IOException | OverlappingFileLockException e) {
      // The file is being written, belongs to another user or no longer exists.
      return;
    }
  }
}
