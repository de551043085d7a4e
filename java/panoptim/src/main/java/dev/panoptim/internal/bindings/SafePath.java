package dev.panoptim.internal.bindings;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/// Follows a directory's path from the root down, and requires that only root and one user can
/// replace any of its steps.
///
/// Each step is examined after all previous steps have been found safe, so that the result of an
/// examination stays valid.
///
/// Not thread-safe.
final class SafePath {
  /// The maximum number of links in a path; Linux has the same limit.
  private static final int MOST_LINKS = 40;

  private static final FileAttribute<?> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private final int user;
  private final Deque<Path> ahead = new ArrayDeque<>();
  private Path at;
  private int links;

  private SafePath(int user, Path root) {
    this.user = user;
    at = root;
  }

  /// Returns the directory's path without links. Missing directories are created with access for
  /// this user alone.
  ///
  /// @param user this process's user
  /// @throws IOException if a directory or link of the path belongs to another user, if other users
  ///   can replace it, or if a directory cannot be created
  static Path follow(Path directory, int user) throws IOException {
    Path absolute = directory.toAbsolutePath();
    SafePath path = new SafePath(user, absolute.getRoot());
    path.requireSafe(UnixFile.of(path.at));
    path.goOnWith(absolute);
    while (!path.ahead.isEmpty()) {
      path.advance(path.ahead.pop());
    }
    return path.at;
  }

  /// Creates a directory with access for this user alone, unless the name is taken.
  static void createPrivate(Path directory) throws IOException {
    try {
      Files.createDirectory(directory, PRIVATE);
    } catch (FileAlreadyExistsException e) {
      // The caller examines what exists there.
      return;
    }
  }

  /// Creates a directory with an unpredictable name and with access for this user alone.
  static Path createFresh(Path parent, String prefix) throws IOException {
    return Files.createTempDirectory(parent, prefix, PRIVATE);
  }

  private void goOnWith(Path names) {
    for (int i = names.getNameCount() - 1; i >= 0; i--) {
      ahead.push(names.getName(i));
    }
  }

  private void advance(Path name) throws IOException {
    if (name.toString().equals("..")) {
      at = at.getParent() == null ? at : at.getParent();
      return;
    }
    if (name.toString().isEmpty() || name.toString().equals(".")) {
      return;
    }
    Path next = at.resolve(name);
    Optional<UnixFile> there = UnixFile.find(next);
    if (there.isEmpty()) {
      createPrivate(next);
      there = Optional.of(UnixFile.of(next));
    }
    UnixFile found = there.get();
    if (found.isLink()) {
      followLink(found);
      return;
    }
    if (!found.isDirectory()) {
      throw new NotDirectoryException(next.toString());
    }
    requireSafe(found);
    at = next;
  }

  /// A link's permissions have no meaning. Its owner decides where the link leads.
  private void followLink(UnixFile link) throws IOException {
    if (!link.belongsTo(user)) {
      throw new FileSystemException(
          link.path().toString(), null, "the link belongs to another user");
    }
    links++;
    if (links > MOST_LINKS) {
      throw new FileSystemLoopException(link.path().toString());
    }
    Path target = Files.readSymbolicLink(link.path());
    if (target.isAbsolute()) {
      at = target.getRoot();
    }
    goOnWith(target);
  }

  private void requireSafe(UnixFile directory) throws IOException {
    Optional<String> why = directory.whyNotSafeFor(user, true);
    if (why.isPresent()) {
      throw new IOException(why.get());
    }
  }
}
