package dev.panoptim.safetensors.internal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/// Common rules for reading and replacing files: only regular files are used, and a replaced file
/// keeps its permissions.
///
/// Thread-safe.
public final class RegularFiles {
  /// Writes the contents of a file. Called by one thread.
  @FunctionalInterface
  public interface Contents {
    /// @param channel a channel of a new, empty file; the caller closes it
    void write(FileChannel channel) throws IOException;
  }

  private RegularFiles() {}

  /// Checks that a path can be mapped. Opening a directory would fail later, and opening a pipe
  /// could block forever.
  ///
  /// @throws FileSystemException if the path is not a regular file of the default file system; the
  ///   message says what it is
  public static void requireMappable(Path path) throws FileSystemException {
    if (path.getFileSystem() != FileSystems.getDefault()) {
      throw new FileSystemException(
          path.toString(),
          null,
          "is in a file system of the kind '"
              + path.getFileSystem().provider().getScheme()
              + "', but must be in the default one, whose files can be mapped");
    }
    if (!Files.exists(path)) {
      throw new NoSuchFileException(path.toString());
    }
    requireRegular(path);
  }

  private static void requireRegular(Path path) throws FileSystemException {
    if (!Files.isRegularFile(path)) {
      throw new FileSystemException(
          path.toString(),
          null,
          (Files.isDirectory(path) ? "is a directory" : "is not a regular file")
              + ", but must be a regular file");
    }
  }

  /// Writes a new file under a temporary name and renames it to the final name. If anything fails,
  /// an existing file stays unchanged. A symbolic link is replaced, not followed.
  ///
  /// @param temporary the temporary name, as for [#createFor]; no such file exists afterwards
  /// @throws IOException if the existing file is not a regular file, or the file cannot be written
  public static void replace(Path file, Path temporary, Contents contents) throws IOException {
    // If this fails, the temporary name belongs to another file, which is not deleted.
    FileChannel created = createFor(file, temporary);
    try {
      try (created) {
        contents.write(created);
      }
      // REPLACE_EXISTING is for file systems without atomic moves; an atomic move replaces the file
      // anyway.
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (Throwable e) {
      delete(temporary, e);
      throw e;
    }
  }

  /// Creates a file that will replace another one. If the other one is a regular file, the new file
  /// has its permissions from the first byte on.
  ///
  /// @param temporary the name of the new file; no such file may exist
  /// @throws IOException if the existing file is not a regular file, or the new one cannot be
  ///   created
  public static FileChannel createFor(Path file, Path temporary) throws IOException {
    if (Files.exists(file)) {
      requireRegular(file);
    }
    Set<PosixFilePermission> mode = modeOf(file);
    FileChannel created = create(temporary, mode);
    try {
      // The process's umask may have removed some permissions.
      if (mode != null && !mode.equals(modeOf(temporary))) {
        // The permissions are set without following links: other users of the folder may have
        // replaced the path by a link.
        Files.getFileAttributeView(
                temporary, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
            .setPermissions(mode);
      }
      return created;
    } catch (Throwable e) {
      created.close();
      delete(temporary, e);
      throw e;
    }
  }

  private static void delete(Path temporary, Throwable failure) {
    try {
      Files.deleteIfExists(temporary);
    } catch (IOException another) {
      failure.addSuppressed(another);
    }
  }

  private static FileChannel create(Path temporary, Set<PosixFilePermission> mode)
      throws IOException {
    FileAttribute<?>[] attributes =
        mode == null
            ? new FileAttribute<?>[0]
            : new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(mode)};
    return FileChannel.open(
        temporary, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), attributes);
  }

  /// The permissions of a file, or `null` if it is not a regular file or the file system has no
  /// POSIX permissions.
  private static Set<PosixFilePermission> modeOf(Path file) throws IOException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return null;
    }
    PosixFileAttributeView view =
        Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    return view == null ? null : view.readAttributes().permissions();
  }
}
