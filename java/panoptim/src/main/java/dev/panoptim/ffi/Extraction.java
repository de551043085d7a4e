package dev.panoptim.ffi;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Set;

/// Puts a packaged library where the dynamic linker can open it: into a directory that only this
/// user can write, below the temporary directory, or below the one that the system property
/// `panoptim.extract.directory` names (a temporary directory may be mounted such that nothing in it
/// can be executed).
///
/// The directory's name holds a hash of the content, so each version is extracted once and versions
/// do not meet.
final class Extraction {
  private static final String DIRECTORY_PROPERTY = "panoptim.extract.directory";
  private static final int HASH_BYTES = 8;

  private Extraction() {}

  /// @throws IOException if the directory cannot be made, or belongs to somebody else
  static Path extract(byte[] content, String name) throws IOException {
    Path base =
        Path.of(System.getProperty(DIRECTORY_PROPERTY, System.getProperty("java.io.tmpdir")));
    String user = System.getProperty("user.name");
    Path directory =
        makePrivate(base.resolve("panoptim-" + user + "-" + hash(content)).toAbsolutePath());
    Path file = directory.resolve(name);
    if (!holds(file, content)) {
      // Another process may be extracting too: whoever moves last replaces a file by an equal one.
      Path partial = Files.createTempFile(directory, name, ".partial");
      try {
        Files.write(partial, content);
        Files.move(
            partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(partial);
      }
    }
    return file;
  }

  private static boolean holds(Path file, byte[] content) throws IOException {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        && Files.size(file) == content.length
        && Arrays.equals(Files.readAllBytes(file), content);
  }

  /// Whoever can write the directory can have any code run here, so it must be nobody else.
  private static Path makePrivate(Path directory) throws IOException {
    Files.createDirectories(directory.getParent());
    boolean posix = Files.getFileStore(directory.getParent()).supportsFileAttributeView("posix");
    Set<PosixFilePermission> owner = PosixFilePermissions.fromString("rwx------");
    FileAttribute<?>[] attributes =
        posix
            ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(owner)}
            : new FileAttribute<?>[0];
    try {
      Files.createDirectory(directory, attributes);
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
        throw new IOException(directory + " is not a directory", e);
      }
    }
    if (posix) {
      requirePrivate(directory);
    }
    return directory;
  }

  private static void requirePrivate(Path directory) throws IOException {
    Set<PosixFilePermission> others =
        EnumSet.copyOf(Files.getPosixFilePermissions(directory, LinkOption.NOFOLLOW_LINKS));
    others.retainAll(EnumSet.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE));
    // The owner of a file that was just made is this process's user, whatever its name is.
    Path probe = Files.createTempFile(directory, "owner", ".probe");
    try {
      if (!Files.getOwner(probe).equals(Files.getOwner(directory, LinkOption.NOFOLLOW_LINKS))) {
        throw new IOException(
            directory + " belongs to " + Files.getOwner(directory) + ", not to this user");
      }
    } finally {
      Files.delete(probe);
    }
    if (!others.isEmpty()) {
      throw new IOException(directory + " can be written by other users");
    }
  }

  private static String hash(byte[] content) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
      return HexFormat.of().formatHex(digest, 0, HASH_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
