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

/// Owner, kind and permissions of a file, read in one call and without following a link. Values
/// that are read one after the other may belong to different files.
///
/// @param uid the owner's number: names can be missing, or the same for several numbers
/// @param mode kind and permissions, as `stat` gives them
record UnixFile(Path path, int uid, int mode) {
  private static final int ROOT = 0;

  private static final int KIND = 0xF000;
  private static final int DIRECTORY = 0x4000;
  private static final int REGULAR = 0x8000;
  private static final int LINK = 0xA000;
  private static final int STICKY = 0x200;

  /// Write permission of the group or of everybody. Where a file has an access control list, the
  /// group's bits are an upper bound of what the list gives.
  private static final int WRITABLE_BY_OTHERS = 0x12;

  static boolean isSupportedFor(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("unix");
  }

  /// @throws NoSuchFileException if there is none
  static UnixFile of(Path path) throws IOException {
    Map<String, Object> found =
        Files.readAttributes(path, "unix:uid,mode", LinkOption.NOFOLLOW_LINKS);
    return new UnixFile(path, (int) found.get("uid"), (int) found.get("mode"));
  }

  /// Nothing if there is no such file.
  static Optional<UnixFile> find(Path path) throws IOException {
    try {
      return Optional.of(of(path));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /// The number of the user that this process acts as.
  ///
  /// It is asked of the system. The owner of a new file would say it too, but not where nothing can
  /// be written, and not reliably in a directory that is not known to be safe yet.
  ///
  /// @throws IllegalCallerException if these classes may not call native code
  static int ownUid() {
    try {
      return (int)
          Linker.nativeLinker()
              .downcallHandle(
                  Linker.nativeLinker().defaultLookup().findOrThrow("geteuid"),
                  FunctionDescriptor.of(ValueLayout.JAVA_INT))
              .invokeExact();
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
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

  /// Whether it belongs to a user or to root, who can do everything anyway.
  boolean belongsTo(int user) {
    return uid == user || uid == ROOT;
  }

  /// Why a directory may hold what neither a user nor root has put there, in words.
  Optional<String> whyNotPrivateTo(int user) {
    if (!isDirectory()) {
      return Optional.of(path + (isLink() ? " is a link, not a directory" : " is not a directory"));
    }
    return whyNotSafeFor(user, false);
  }

  /// Why somebody else than a user and root may change the file, or replace or remove what such a
  /// directory holds of theirs, in words.
  ///
  /// @param sticky whether others may add files to it, but not replace files that are not theirs
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
