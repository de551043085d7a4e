package dev.panoptim.internal.bindings;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// Extracts a packaged library to a directory that only this user and root can write, so that the
/// dynamic linker can open it. The directory is in the temporary directory, or in the directory
/// that the system property `panoptim.extract.directory` names. The property is for temporary
/// directories that are mounted without the right to execute.
///
/// The directory's name contains the user's number and a hash of the content. Each version is
/// therefore extracted once per user, and versions do not collide. Another user can predict this
/// name and create the directory first. Then the library is extracted to a fresh directory, which
/// is removed when the library has been opened. All parent directories must be safe too; see
/// [SafePath].
///
/// An existing file with the right content is used, even if the directory is read-only. It may be
/// in this user's directory, or in root's, which a container image may provide.
///
/// Not thread-safe.
final class Extraction implements AutoCloseable {
  static final String DIRECTORY_PROPERTY = "panoptim.extract.directory";

  private static final int ROOT = 0;
  private static final int HASH_BYTES = 8;
  private static final int MOST_TRIES = 10;

  private final Path file;

  /// The reason for not using the usual directory, or `null` if it is used.
  private final String detour;

  private Extraction(Path file, String detour) {
    this.file = file;
    this.detour = detour;
  }

  /// Extracts a library.
  ///
  /// @throws IOException if there is no safe directory, or it cannot be written
  /// @throws IllegalCallerException if this module may not call native code
  static Extraction of(byte[] content, String name) throws IOException {
    String base = System.getProperty(DIRECTORY_PROPERTY, System.getProperty("java.io.tmpdir"));
    return of(Path.of(base), content, name);
  }

  static Extraction of(Path base, byte[] content, String name) throws IOException {
    return UnixFile.isSupportedFor(base)
        ? new Place(base, UnixFile.ownUid(), content, name).extract()
        : withoutOwners(base.toAbsolutePath(), content, name);
  }

  /// The file for the dynamic linker. It must be opened before this object is closed.
  Path file() {
    return file;
  }

  /// Describes where the file is, and why.
  String describe() {
    return "extracted to " + file + (detour == null ? "" : " temporarily, because " + detour);
  }

  /// Removes the file if it was extracted for this process alone. An open library stays usable.
  @Override
  public void close() {
    if (detour != null) {
      Leftovers.deleteDirectory(file.getParent());
    }
  }

  /// Extracts on systems where the temporary directory belongs to the user.
  private static Extraction withoutOwners(Path base, byte[] content, String name)
      throws IOException {
    String user = System.getProperty("user.name").replaceAll("[^\\w.-]", "_");
    Path directory = base.resolve("panoptim-" + user + "-" + hash(content));
    Files.createDirectories(directory);
    if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      throw new IOException(directory + " is a link, not a directory");
    }
    Path file = directory.resolve(name);
    if (!holds(file, content)) {
      write(file, content);
    }
    return new Extraction(file, null);
  }

  /// The place of one library for one user.
  private record Place(Path base, int user, byte[] content, String name) {
    Extraction extract() throws IOException {
      Place safe = new Place(SafePath.follow(base, user), user, content, name);
      for (int owner : user == ROOT ? List.of(ROOT) : List.of(user, ROOT)) {
        Path file = safe.directory(owner).resolve(name);
        if (safe.isPrivate(file.getParent()) && safe.isRight(file)) {
          if (owner == user) {
            Leftovers.cleanFiles(file.getParent());
          }
          return new Extraction(file, null);
        }
      }
      Path directory = safe.directory(user);
      try {
        return new Extraction(safe.extractInto(directory), null);
      } catch (IOException e) {
        return safe.extractAfresh(e);
      }
    }

    private Path directory(int owner) {
      return base.resolve("panoptim-" + Integer.toUnsignedString(owner) + "-" + hash(content));
    }

    private boolean isPrivate(Path directory) throws IOException {
      Optional<UnixFile> found = UnixFile.find(directory);
      return found.isPresent() && found.get().whyNotPrivateTo(user).isEmpty();
    }

    /// Whether a file in a private directory is safe and has the right content.
    private boolean isRight(Path file) {
      try {
        UnixFile found = UnixFile.of(file);
        return found.isRegular()
            && found.whyNotSafeFor(user, false).isEmpty()
            && holds(file, content);
      } catch (IOException e) {
        // The file does not exist or cannot be read.
        return false;
      }
    }

    private Path extractInto(Path directory) throws IOException {
      SafePath.createPrivate(directory);
      Optional<String> why = UnixFile.of(directory).whyNotPrivateTo(user);
      if (why.isPresent()) {
        throw new IOException(why.get());
      }
      Leftovers.cleanFiles(directory);
      Path file = directory.resolve(name);
      write(file, content);
      if (!isRight(file)) {
        throw new IOException(file + " differs from what was written");
      }
      return file;
    }

    private Extraction extractAfresh(IOException reason) throws IOException {
      String prefix = directory(user).getFileName() + "-";
      Leftovers.cleanDirectories(base, prefix, user);
      try {
        Path directory = SafePath.createFresh(base, prefix);
        try {
          return new Extraction(extractInto(directory), words(reason));
        } catch (Throwable e) {
          Leftovers.deleteDirectory(directory);
          throw e;
        }
      } catch (IOException e) {
        throw new IOException(words(reason) + "; and a fresh directory: " + words(e), e);
      }
    }
  }

  /// The message of most file exceptions is only a name, so their class is added.
  private static String words(IOException e) {
    return e.getClass() == IOException.class ? e.getMessage() : e.toString();
  }

  private static boolean holds(Path file, byte[] content) throws IOException {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        && Files.size(file) == content.length
        && Arrays.equals(Files.readAllBytes(file), content);
  }

  /// Another process may write the same file at the same time. The last one replaces the file by an
  /// equal one.
  private static void write(Path file, byte[] content) throws IOException {
    for (int tries = 1; ; tries++) {
      Path partial =
          Files.createTempFile(file.getParent(), file.getFileName().toString(), Leftovers.PARTIAL);
      // The channel is only for the lock. The file is written separately, because a channel rejects
      // interrupted threads.
      try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE)) {
        if (UnixFile.isSupportedFor(partial)) {
          // On other systems a lock would block this thread's own write, and leftovers are not
          // removed there.
          Leftovers.claim(channel);
        }
        Files.write(partial, content, StandardOpenOption.WRITE);
        Files.move(
            partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        return;
      } catch (NoSuchFileException e) {
        // Another process took the file for a leftover, before it was locked or after it was
        // written.
        if (tries == MOST_TRIES) {
          throw e;
        }
      } finally {
        Files.deleteIfExists(partial);
      }
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
