package dev.panoptim.internal.tensor;

import dev.panoptim.internal.io.LockedFile;
import dev.panoptim.internal.io.UninterruptedIo;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.memory.SystemMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;

/// Memory that several processes map from a file: what one of them writes, the others read.
///
/// The first process creates the file and gives the memory its first contents while it holds the
/// file's lock; those that come later find a description of what lies in it, and must mean the
/// same. The file stays when all of them have ended, and whoever maps it next continues. All its
/// blocks are written at creation, for a disk that turns out to be full when a mapped page is first
/// written ends the process.
///
/// The file: 8 bytes that say whether it is complete, 4 bytes with the length of the description,
/// the description in UTF-8, and the memory from the next page boundary on, in the processor's byte
/// order. It is no checkpoint: other machines and later versions may read it differently.
///
/// Thread-safe.
public final class SharedFile {
  private static final byte[] UNFINISHED = "panopti-".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] COMPLETE = "panopti1".getBytes(StandardCharsets.US_ASCII);
  private static final int PREFIX = COMPLETE.length + Integer.BYTES;
  private static final int PAGE = (int) SystemMemory.SMALL;

  /// What uses the memory.
  public interface User {
    /// @param fresh whether the memory is to be given its first contents
    void accept(MemorySegment memory, boolean fresh);
  }

  private SharedFile() {}

  /// Maps a file, which is created where it does not exist or is empty. An interrupted thread maps
  /// it all the same, and stays interrupted.
  ///
  /// @param arena what the mapping lives as long as
  /// @param description of the memory, for other processes to compare with theirs
  /// @param bytes of memory
  /// @param user is called with the memory, from a page boundary on, which is fresh in the process
  ///   that creates it, zeroed and not yet to be mapped by any other; must neither open the file
  ///   nor wait for another thread that maps one
  /// @throws IllegalArgumentException if the file holds anything else, or memory of another
  ///   description, or UTF-8 cannot hold the description
  /// @throws IllegalStateException if this thread is mapping this file already
  /// @throws UncheckedIOException if it cannot be opened, written or mapped, is a directory or of
  ///   another file system
  public static void map(Arena arena, Path file, String description, long bytes, User user) {
    byte[] words = utf8(description);
    long begin = Math.ceilDiv(PREFIX + words.length, PAGE) * (long) PAGE;
    try {
      requireMappable(file);
      // An interrupt that ends this has come before the user was called.
      UninterruptedIo.run(
          () ->
              LockedFile.use(
                  file,
                  channel -> {
                    map(arena, file, channel, words, begin, bytes, user);
                    return null;
                  }));
    } catch (IOException e) {
      boolean inWords = e instanceof FileSystemException known && known.getReason() != null;
      String why = inWords ? "it " + ((FileSystemException) e).getReason() : e.toString();
      throw new UncheckedIOException("shared memory in " + file + ": " + why, e);
    }
  }

  private static void map(
      Arena arena, Path file, FileChannel channel, byte[] words, long begin, long bytes, User user)
      throws IOException {
    boolean create = isUnfinished(file, channel);
    if (create) {
      create(channel, begin + bytes, words);
    } else {
      requireSame(file, channel, begin + bytes, words);
    }
    MemorySegment whole = channel.map(FileChannel.MapMode.READ_WRITE, 0, begin + bytes, arena);
    if (arena instanceof OwnedArena owned) {
      owned.watchMapping(whole);
    }
    user.accept(whole.asSlice(begin, bytes), create);
    if (create) {
      // Not by the channel: an interrupt would close it, and the lock would be gone with it while
      // the file is still unfinished.
      VarHandle.releaseFence();
      MemorySegment.copy(COMPLETE, 0, whole, ValueLayout.JAVA_BYTE, 0, COMPLETE.length);
    }
  }

  /// Opening a pipe would wait for its other end, and other file systems cannot map.
  private static void requireMappable(Path file) throws FileSystemException {
    String reason = null;
    if (file.getFileSystem() != FileSystems.getDefault()) {
      reason =
          "is in a file system of the kind '%s', but must be in the default one"
              .formatted(file.getFileSystem().provider().getScheme());
    } else if (Files.isDirectory(file)) {
      reason = "is a directory, but must be a regular file";
    } else if (Files.exists(file) && !Files.isRegularFile(file)) {
      reason = "is not a regular file, but must be one";
    }
    if (reason != null) {
      throw new FileSystemException(file.toString(), null, reason);
    }
  }

  /// @throws IllegalArgumentException if UTF-8 cannot hold the text: names that differ would become
  ///   the same
  private static byte[] utf8(String description) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(description)) {
      throw new IllegalArgumentException(
          "a name in '"
              + description
              + "' has half of a surrogate pair, but must be valid Unicode");
    }
    return description.getBytes(StandardCharsets.UTF_8);
  }

  /// Whether there is nothing yet, or what a process left that ended while it created the file.
  private static boolean isUnfinished(Path file, FileChannel channel) throws IOException {
    if (channel.size() == 0) {
      return true;
    }
    ByteBuffer mark = read(channel, 0, COMPLETE.length);
    if (mark.equals(ByteBuffer.wrap(UNFINISHED))) {
      return true;
    }
    if (!mark.equals(ByteBuffer.wrap(COMPLETE))) {
      throw new IllegalArgumentException(
          file + " holds something else than shared memory, and is left as it is");
    }
    return false;
  }

  private static void create(FileChannel channel, long length, byte[] words) throws IOException {
    long found = channel.size();
    try {
      writeAll(channel, length, words);
    } catch (IOException e) {
      // Most likely the disk is full: what has been written of it is of no use to anyone.
      try {
        channel.truncate(found);
      } catch (IOException another) {
        e.addSuppressed(another);
      }
      throw e;
    }
  }

  /// Writes over what an unfinished creation left, and never makes the file shorter than it must
  /// be: somebody may have it mapped.
  private static void writeAll(FileChannel channel, long length, byte[] words) throws IOException {
    channel.truncate(length);
    ByteBuffer header =
        ByteBuffer.allocate(PREFIX + words.length)
            .order(ByteOrder.nativeOrder())
            .put(UNFINISHED)
            .putInt(words.length)
            .put(words)
            .flip();
    writeAt(channel, 0, header);
    ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
    for (long at = PREFIX + words.length; at < length; at += zeros.limit()) {
      zeros.clear().limit((int) Math.min(zeros.capacity(), length - at));
      writeAt(channel, at, zeros);
    }
  }

  private static void requireSame(Path file, FileChannel channel, long length, byte[] words)
      throws IOException {
    int found = read(channel, COMPLETE.length, Integer.BYTES).getInt();
    boolean plausible = found >= 0 && found <= channel.size() - PREFIX;
    ByteBuffer theirs = plausible ? read(channel, PREFIX, found) : ByteBuffer.allocate(0);
    if (!theirs.equals(ByteBuffer.wrap(words))) {
      throw new IllegalArgumentException(
          "%s holds%n%s%nbut must hold%n%s"
              .formatted(
                  file,
                  StandardCharsets.UTF_8.decode(theirs),
                  new String(words, StandardCharsets.UTF_8)));
    }
    if (channel.size() != length) {
      throw new IllegalArgumentException(
          "%s has %s bytes, but must have %s".formatted(file, channel.size(), length));
    }
  }

  private static ByteBuffer read(FileChannel channel, long at, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.nativeOrder());
    while (buffer.hasRemaining() && channel.read(buffer, at + buffer.position()) >= 0) {}
    return buffer.clear();
  }

  private static void writeAt(FileChannel channel, long at, ByteBuffer bytes) throws IOException {
    long start = at - bytes.position();
    while (bytes.hasRemaining()) {
      channel.write(bytes, start + bytes.position());
    }
  }
}
