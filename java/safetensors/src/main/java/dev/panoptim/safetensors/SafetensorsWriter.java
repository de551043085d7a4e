package dev.panoptim.safetensors;

import dev.panoptim.safetensors.internal.UninterruptedIo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;

/// Writes safetensors files in the layout of [SafetensorsLayout].
///
/// Off-heap data are written directly, in parts. Heap data are copied through a small buffer.
/// Besides this buffer, only the header takes memory.
///
/// Thread-safe, as long as no thread changes the tensors' data during the write.
public final class SafetensorsWriter {
  private static final long PIECE = 4 << 20;

  /// The size is small because the JDK keeps a direct buffer per thread, as large as the largest
  /// heap buffer that the thread has written.
  private static final int HEAP_PIECE = 64 << 10;

  private SafetensorsWriter() {}

  /// Writes a file, and replaces an existing one.
  ///
  /// The file is written under a temporary name in the same folder and renamed at the end. If the
  /// write fails, an existing file stays unchanged. A process that has mapped the existing file
  /// keeps its contents, so that a mapped file can be written again. A symbolic link is replaced,
  /// not followed.
  ///
  /// If the file system has POSIX permissions, a replaced file passes on its permissions; owner and
  /// group are those of this process. The file is not forced to the disk. An interrupt does not
  /// stop the write; the thread's interrupt status is kept. Temporary files of killed processes are
  /// removed.
  ///
  /// @param path the file to write
  /// @param tensors the tensors, in any order
  /// @param metadata the metadata; empty metadata are omitted
  /// @throws SafetensorsException if two tensors have the same name, if one is `__metadata__`, if a
  ///   string has an unpaired surrogate, or if the header would exceed 100,000,000 bytes
  /// @throws UncheckedIOException if the file cannot be written
  /// @throws IllegalStateException if the arena of a tensor's data has been closed; nothing has
  ///   been written
  /// @throws WrongThreadException if the arena of a tensor's data is confined to another thread;
  ///   nothing has been written
  public static void write(Path path, Collection<Tensor> tensors, Map<String, String> metadata) {
    Objects.requireNonNull(path, "path is null, but must be the path of a file");
    SafetensorsLayout layout = layout(tensors, metadata);
    layout.tensors().forEach(Tensor::requireReadable);
    try {
      UninterruptedIo.run(
          () -> {
            try (TemporaryFile temporary = TemporaryFile.beside(path)) {
              write(temporary.channel(), layout);
              temporary.moveTo(path);
            }
            return null;
          });
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + path + ": " + e, e);
    }
  }

  /// Writes the bytes of a file to a channel, from the channel's position on. The channel stays
  /// open.
  ///
  /// @param channel a channel in blocking mode. If the write fails, the channel may have received
  ///   the first bytes. Java closes an interruptible channel when this thread is interrupted
  /// @param tensors the tensors, in any order
  /// @param metadata the metadata; empty metadata are omitted
  /// @throws SafetensorsException if two tensors have the same name, if one is `__metadata__`, if a
  ///   string has an unpaired surrogate, or if the header would exceed 100,000,000 bytes; nothing
  ///   has been written
  /// @throws UncheckedIOException if the channel fails
  /// @throws IllegalStateException if the arena of a tensor's data has been closed; nothing has
  ///   been written
  /// @throws WrongThreadException if the arena of a tensor's data is confined to another thread;
  ///   nothing has been written
  public static void write(
      WritableByteChannel channel, Collection<Tensor> tensors, Map<String, String> metadata) {
    Objects.requireNonNull(channel, "channel is null, but must be a channel");
    SafetensorsLayout layout = layout(tensors, metadata);
    layout.tensors().forEach(Tensor::requireReadable);
    try {
      write(channel, layout);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write to " + channel + ": " + e, e);
    }
  }

  /// Computes the layout of a file without writing it. Callers that write the file themselves can
  /// process its parts (checksums, progress) or write the header last.
  ///
  /// @param tensors the tensors, in any order
  /// @param metadata the metadata; empty metadata are omitted
  /// @throws SafetensorsException if two tensors have the same name, if one is `__metadata__`, if a
  ///   string has an unpaired surrogate, or if the header would exceed 100,000,000 bytes
  public static SafetensorsLayout layout(Collection<Tensor> tensors, Map<String, String> metadata) {
    return new SafetensorsLayout(tensors, metadata);
  }

  private static void write(WritableByteChannel channel, SafetensorsLayout layout)
      throws IOException {
    ByteBuffer heapPiece = ByteBuffer.allocate(HEAP_PIECE);
    write(channel, layout.header(), heapPiece);
    for (Tensor each : layout.tensors()) {
      write(channel, each.data(), heapPiece);
    }
  }

  private static void write(WritableByteChannel channel, MemorySegment bytes, ByteBuffer heapPiece)
      throws IOException {
    long step = bytes.isNative() ? PIECE : HEAP_PIECE;
    for (long at = 0; at < bytes.byteSize(); at += step) {
      int length = (int) Math.min(step, bytes.byteSize() - at);
      ByteBuffer piece;
      if (bytes.isNative()) {
        piece = bytes.asSlice(at, length).asByteBuffer();
      } else {
        // Of heap segments, only those of byte arrays have a view as a ByteBuffer.
        MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, at, heapPiece.array(), 0, length);
        piece = heapPiece.clear().limit(length);
      }
      while (piece.hasRemaining()) {
        channel.write(piece);
      }
    }
  }
}
