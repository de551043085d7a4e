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

/// What reading and replacing files have in common: only regular files are touched, and a file that
/// is replaced keeps its mode.
///
/// Thread-safe.
public final class RegularFiles {
  /// Writes the contents of a file.
  @FunctionalInterface
  public interface Contents {
    /// @param channel of a new, empty file; closed by the caller
    void write(FileChannel channel) throws IOException;
  }

  private RegularFiles() {}

  /// Checks that a path can be mapped: opening a directory or a pipe would fail later or never end.
  ///
  /// @throws FileSystemException if it is not a regular file of the default file system; the
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

  /// Writes a new file beside another one and renames it to that at last. Whatever fails, what was
  /// there stays as it was. A symbolic link is replaced, not followed.
  ///
  /// @param temporary as for [#createFor]; does not exist afterwards
  /// @throws IOException if something that is not a regular file is in the way
  public static void replace(Path file, Path temporary, Contents contents) throws IOException {
    // Where this fails, there is a file that is not the one to be written here.
    FileChannel created = createFor(file, temporary);
    try {
      try (created) {
        contents.write(created);
      }
      // An atomic move replaces what is there; file systems that know none need to be told.
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (Throwable e) {
      delete(temporary, e);
      throw e;
    }
  }

  /// Creates the file that is to replace another one, with the permissions of that from its first
  /// byte on, if that is a regular file.
  ///
  /// @param temporary must not exist
  /// @throws IOException if something that is not a regular file would be replaced
  public static FileChannel createFor(Path file, Path temporary) throws IOException {
    if (Files.exists(file)) {
      requireRegular(file);
    }
    Set<PosixFilePermission> mode = modeOf(file);
    FileChannel created = create(temporary, mode);
    try {
      // The process's umask may have taken some away.
      if (mode != null && !mode.equals(modeOf(temporary))) {
        // Not by the path: in a directory that others can write, it may be a link by now.
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

  /// `null` where there is no regular file, or the file system has no such permissions.
  private static Set<PosixFilePermission> modeOf(Path file) throws IOException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return null;
    }
    PosixFileAttributeView view =
        Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    return view == null ? null : view.readAttributes().permissions();
  }
}
