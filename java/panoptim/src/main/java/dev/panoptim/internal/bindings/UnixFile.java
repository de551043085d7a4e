package dev.panoptim.internal.bindings;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// The owner, kind and permissions of a file, read in one call and without following a link. Values
/// that are read in several calls might belong to different files.
///
/// Immutable and thread-safe.
///
/// @param path the file
/// @param uid the owner's number; names may be missing, or ambiguous
/// @param mode kind and permissions, as in `stat`
record UnixFile(Path path, int uid, int mode) {
  private static final int ROOT = 0;

  private static final int KIND = 0xF000;
  private static final int DIRECTORY = 0x4000;
  private static final int REGULAR = 0x8000;
  private static final int LINK = 0xA000;
  private static final int STICKY = 0x200;

  /// Write permission of the group or of everybody. If a file has an access control list, the
  /// group's bits are an upper bound of the list's permissions.
  private static final int WRITABLE_BY_OTHERS = 0x12;

  static boolean isSupportedFor(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("unix");
  }

  /// @throws NoSuchFileException if the file does not exist
  static UnixFile of(Path path) throws IOException {
    Map<String, Object> found =
        Files.readAttributes(path, "unix:uid,mode", LinkOption.NOFOLLOW_LINKS);
    return new UnixFile(path, (int) found.get("uid"), (int) found.get("mode"));
  }

  /// Returns the file, or empty if it does not exist.
  static Optional<UnixFile> find(Path path) throws IOException {
    try {
      return Optional.of(of(path));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /// The number of this process's effective user.
  ///
  /// The number comes from the system. The owner of a newly created file would be unreliable: no
  /// file can be created in a read-only directory, and a directory that has not been checked may
  /// give a wrong owner.
  ///
  /// @throws IllegalCallerException if this module may not call native code
  static int ownUid() {
    try {
      return (int)
          Linker.nativeLinker()
              .downcallHandle(
                  Linker.nativeLinker().defaultLookup().findOrThrow("geteuid"),
                  FunctionDescriptor.of(ValueLayout.JAVA_INT))
              .invokeExact();
    } catch (Throwable e) {
      throw Downcall.unchecked(e);
    }
  }

  boolean isLink() {
    return (mode & KIND) == LINK;
  }

  boolean isDirectory() {
    return (mode & KIND) == DIRECTORY;
  }

  boolean isRegular() {
    return (mode & KIND) == REGULAR;
  }

  /// Whether the file belongs to the user or to root, who can do everything anyway.
  boolean belongsTo(int user) {
    return uid == user || uid == ROOT;
  }

  /// The reason why the directory may contain files of others than the user and root; empty if it
  /// is private.
  Optional<String> whyNotPrivateTo(int user) {
    if (!isDirectory()) {
      return Optional.of(path + (isLink() ? " is a link, not a directory" : " is not a directory"));
    }
    return whyNotSafeFor(user, false);
  }

  /// The reason why others than the user and root may change the file, or replace or remove files
  /// in such a directory; empty if it is safe.
  ///
  /// @param sticky whether others may add files to the directory, if they cannot replace files of
  ///   the user
  Optional<String> whyNotSafeFor(int user, boolean sticky) {
    if (!belongsTo(user)) {
      return Optional.of(
          "%s belongs to user %s, not to this process's user %s"
              .formatted(path, Integer.toUnsignedString(uid), Integer.toUnsignedString(user)));
    }
    if ((mode & WRITABLE_BY_OTHERS) != 0 && !(sticky && (mode & STICKY) != 0)) {
      return Optional.of(
          path + " can be written by other users" + (sticky ? ", and is not sticky" : ""));
    }
    return Optional.empty();
  }
}
