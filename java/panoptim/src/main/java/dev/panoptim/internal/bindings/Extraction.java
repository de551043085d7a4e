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

/// A packaged library where the dynamic linker can open it: in a directory that nobody but this
/// user and root can write, below the temporary directory, or below the one that the system
/// property `panoptim.extract.directory` names (a temporary directory may be mounted such that
/// nothing in it can be executed).
///
/// The directory's name holds the user's number and a hash of the content, so each version is
/// extracted once for each user, and versions do not meet. A name that can be known beforehand can
/// be taken by somebody else; then a fresh directory, which is removed when the library has been
/// opened, takes its place. All directories above must be safe too, as [SafePath] says.
///
/// A file that is there already, with the right content, is used as it is, also where nothing can
/// be written: in the directory of this user, or in root's, which an image may bring along.
final class Extraction implements AutoCloseable {
  static final String DIRECTORY_PROPERTY = "panoptim.extract.directory";

  private static final int ROOT = 0;
  private static final int HASH_BYTES = 8;
  private static final int MOST_TRIES = 10;

  private final Path file;

  /// Why the usual directory was not taken, if it was not.
  private final String detour;

  private Extraction(Path file, String detour) {
    this.file = file;
    this.detour = detour;
  }

  /// @throws IOException if there is no safe directory, or it cannot be written
  /// @throws IllegalCallerException if these classes may not call native code
  static Extraction of(byte[] content, String name) throws IOException {
    String base = System.getProperty(DIRECTORY_PROPERTY, System.getProperty("java.io.tmpdir"));
    return of(Path.of(base), content, name);
  }

  static Extraction of(Path base, byte[] content, String name) throws IOException {
    return UnixFile.isSupportedFor(base)
        ? new Place(base, UnixFile.ownUid(), content, name).extract()
        : withoutOwners(base.toAbsolutePath(), content, name);
  }

  /// What the dynamic linker is to open, before this is closed.
  Path file() {
    return file;
  }

  /// Where it is, and why there, in words.
  String describe() {
    return "extracted to " + file + (detour == null ? "" : " for once, as " + detour);
  }

  /// Removes the file, if it was extracted for this process alone. A library that is open stays
  /// usable.
  @Override
  public void close() {
    if (detour != null) {
      Leftovers.deleteDirectory(file.getParent());
    }
  }

  /// For systems where the temporary directory is the user's own.
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

  /// One user's place for one library.
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

    /// Whether the file, in a private directory, is what is to be opened.
    private boolean isRight(Path file) {
      try {
        UnixFile found = UnixFile.of(file);
        return found.isRegular()
            && found.whyNotSafeFor(user, false).isEmpty()
            && holds(file, content);
      } catch (IOException e) {
        // It is not there, or cannot be read.
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
        throw new IOException(file + " is not what was written");
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

  /// Exceptions of files have messages that are a mere name.
  private static String words(IOException e) {
    return e.getClass() == IOException.class ? e.getMessage() : e.toString();
  }

  private static boolean holds(Path file, byte[] content) throws IOException {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        && Files.size(file) == content.length
        && Arrays.equals(Files.readAllBytes(file), content);
  }

  /// Another process may be writing too: the last one replaces a file by an equal one.
  private static void write(Path file, byte[] content) throws IOException {
    for (int tries = 1; ; tries++) {
      Path partial =
          Files.createTempFile(file.getParent(), file.getFileName().toString(), Leftovers.PARTIAL);
      // The channel only claims the file. It writes nothing, as it would refuse interrupted
      // threads.
      try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE)) {
        if (UnixFile.isSupportedFor(partial)) {
          // Elsewhere a lock would keep this thread from writing, and leftovers are not removed.
          Leftovers.claim(channel);
        }
        Files.write(partial, content, StandardOpenOption.WRITE);
        Files.move(
            partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        return;
      } catch (NoSuchFileException e) {
        // Another process took it for a leftover before it was claimed, or after it was written.
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
