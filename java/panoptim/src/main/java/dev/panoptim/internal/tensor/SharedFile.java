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

/// Memory that several processes map from one file, so that each process reads the writes of the
/// others.
///
/// The first process creates the file and initializes the memory while it holds the file's lock.
/// Later processes compare the stored description of the memory with theirs. The file stays when
/// all processes have ended, and the next process continues with it. All blocks of the file are
/// written at creation, because a full disk would crash the process at the first write to a mapped
/// page.
///
/// The file has four parts: 8 bytes that mark it as complete, 4 bytes with the length of the
/// description, the description in UTF-8, and the memory from the next page boundary on. Numbers
/// are in native byte order. The file is not a checkpoint: other machines and later versions may
/// read it differently.
///
/// Thread-safe.
public final class SharedFile {
  private static final byte[] UNFINISHED = "panopti-".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] COMPLETE = "panopti1".getBytes(StandardCharsets.US_ASCII);
  private static final int PREFIX = COMPLETE.length + Integer.BYTES;
  private static final int PAGE = (int) SystemMemory.SMALL;

  /// The code that uses the memory.
  public interface User {
    /// @param memory the mapped memory, from a page boundary on
    /// @param fresh whether the memory must be initialized
    void accept(MemorySegment memory, boolean fresh);
  }

  private SharedFile() {}

  /// Maps a file, which is created if it does not exist or is empty. An interrupt does not stop the
  /// mapping; the thread's interrupt status is kept.
  ///
  /// @param arena the lifetime of the mapping
  /// @param file a regular file in the default file system
  /// @param description a description of the memory, which processes compare
  /// @param bytes the size of the memory
  /// @param user is called with the memory. In the process that creates the file, the memory is
  ///   zeroed and no other process can map it yet. The user must neither open the file nor wait for
  ///   another thread that maps one
  /// @throws IllegalArgumentException if the file has other content or memory of another
  ///   description, or if the description cannot be encoded as UTF-8
  /// @throws IllegalStateException if this thread is already mapping this file
  /// @throws UncheckedIOException if the file cannot be opened, written or mapped, is a directory,
  ///   or is in another file system
  public static void map(Arena arena, Path file, String description, long bytes, User user) {
    byte[] words = utf8(description);
    long begin = Math.ceilDiv(PREFIX + words.length, PAGE) * (long) PAGE;
    try {
      requireMappable(file);
      // An interrupt can stop the action only before the user is called. The action can therefore
      // run again.
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
      // The mark is written through the mapping. An interrupt of a write through the channel would
      // close it and release the lock while the file is still unfinished.
      VarHandle.releaseFence();
      MemorySegment.copy(COMPLETE, 0, whole, ValueLayout.JAVA_BYTE, 0, COMPLETE.length);
    }
  }

  /// Rejects files that cannot be mapped. Opening a pipe would block until another process opens
  /// its other end.
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

  /// @throws IllegalArgumentException if the text cannot be encoded as UTF-8; different names would
  ///   become equal
  private static byte[] utf8(String description) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(description)) {
      throw new IllegalArgumentException(
          "a name in '" + description + "' has an unpaired surrogate, but must be valid Unicode");
    }
    return description.getBytes(StandardCharsets.UTF_8);
  }

  /// Whether the file is empty, or was left by a process that ended while it created the file.
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
          file + " has other content than shared memory, and is not changed");
    }
    return false;
  }

  private static void create(FileChannel channel, long length, byte[] words) throws IOException {
    long found = channel.size();
    try {
      writeAll(channel, length, words);
    } catch (IOException e) {
      // The most likely reason is a full disk. The partly written file is useless.
      try {
        channel.truncate(found);
      } catch (IOException another) {
        e.addSuppressed(another);
      }
      throw e;
    }
  }

  /// Overwrites the rest of an unfinished creation. The file never becomes shorter than its final
  /// length, because another process may have mapped it.
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
