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

/// A file that is written beside the one that it is to become, and is removed if it does not.
///
/// Its writer holds its lock, which ends with the process. So the next writer in the same directory
/// can tell what a killed process has left, and removes it.
final class TemporaryFile implements AutoCloseable {
  private static final String PREFIX = ".safetensors-";

  /// With numbers of process and start, and a random one.
  private static final String ALL = PREFIX + "[0-9]*-[0-9]*-*";

  /// The same for all class loaders of this process, and for no other process.
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
      // Another process took it for a leftover before it was claimed.
      made.close();
    }
  }

  FileChannel channel() {
    return channel;
  }

  /// Gives it its name, in the place of a file that may have it.
  void moveTo(Path file) throws IOException {
    if (!hasLocks()) {
      // An archive has the file only once it is closed.
      channel.close();
    }
    // Still claimed: otherwise it could be removed before it is moved.
    // An atomic move replaces what is there; file systems that know none need to be told.
    Files.move(path, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  @Override
  public void close() throws IOException {
    try (channel) {
      Files.deleteIfExists(path);
    }
  }

  /// The system keeps the lock until the channel is closed.
  private boolean isClaimed() {
    if (!hasLocks()) {
      return true;
    }
    try {
      return channel.tryLock() != null && Files.exists(path);
    } catch (IOException e) {
      // There are no locks here, so nobody removes anything.
      return true;
    }
  }

  /// Whether the file system is the system's own. Others are this process's alone.
  private boolean hasLocks() {
    return path.getFileSystem() == FileSystems.getDefault();
  }

  private void removeLeftovers() {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(path.getParent(), ALL)) {
      for (Path each : files) {
        // This process would lose its lock on a file if it opened and closed it once more.
        if (!each.getFileName().toString().startsWith(OF_THIS_PROCESS) && isOwnFile(each)) {
          removeUnlessClaimed(each);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // It may be writable without being readable.
      return;
    }
  }

  /// Whether something is a file of this process's user. A pipe that somebody else has put there
  /// would have to be waited for when it is opened.
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
      // It is being written, belongs to somebody else, or is gone.
      return;
    }
  }
}
