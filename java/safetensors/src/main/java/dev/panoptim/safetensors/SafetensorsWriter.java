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

/// Writes safetensors files, as [SafetensorsLayout] lays them out.
///
/// Off-heap data go to the channel as they are, in pieces; those on the heap through a small
/// buffer. Apart from it, only the header takes memory.
///
/// Thread-safe, as long as nobody changes the tensors' data meanwhile.
public final class SafetensorsWriter {
  private static final long PIECE = 4 << 20;

  /// Small, as the JDK keeps for each thread a direct buffer as large as the largest heap buffer
  /// that the thread wrote.
  private static final int HEAP_PIECE = 64 << 10;

  private SafetensorsWriter() {}

  /// Writes a file, and replaces one that is there.
  ///
  /// It is written beside under another name and renamed at last: if anything fails, what was there
  /// stays as it was, and who has mapped that, perhaps to write it anew, keeps it. A symbolic link
  /// is replaced, not followed. Where files have POSIX permissions, a file that is replaced passes
  /// its own on; its owner and group are those of this process. Nothing is forced to the disk. An
  /// interrupted thread writes all the same, and stays interrupted. What killed processes have left
  /// of other names is removed.
  ///
  /// @param tensors in any order
  /// @param metadata may be empty, and is left out then
  /// @throws SafetensorsException if two tensors have the same name, if one is `__metadata__`, if a
  ///   string has a lone surrogate, or if the header would be longer than 100,000,000 bytes
  /// @throws UncheckedIOException if the file cannot be written
  /// @throws IllegalStateException if the arena of a tensor's data has been closed; nothing has
  ///   been written
  /// @throws WrongThreadException if it belongs to another thread; nothing has been written
  public static void write(Path path, Collection<Tensor> tensors, Map<String, String> metadata) {
    Objects.requireNonNull(path, "path is null, but must be a file's");
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

  /// Writes a file's bytes to a channel, from its position on, and leaves it open.
  ///
  /// @param channel in blocking mode; if anything fails, it may have got the first bytes. One that
  ///   is interruptible is closed by Java when this thread is interrupted
  /// @param tensors in any order
  /// @param metadata may be empty, and is left out then
  /// @throws SafetensorsException before anything is written, if two tensors have the same name, if
  ///   one is `__metadata__`, if a string has a lone surrogate, or if the header would be longer
  ///   than 100,000,000 bytes
  /// @throws UncheckedIOException if the channel fails
  /// @throws IllegalStateException if the arena of a tensor's data has been closed; nothing has
  ///   been written
  /// @throws WrongThreadException if it belongs to another thread; nothing has been written
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

  /// Lays a file out without writing it, for callers that write it themselves: to see its pieces go
  /// by (checksums, progress), or to write the header last.
  ///
  /// @param tensors in any order
  /// @param metadata may be empty, and is left out then
  /// @throws SafetensorsException if two tensors have the same name, if one is `__metadata__`, if a
  ///   string has a lone surrogate, or if the header would be longer than 100,000,000 bytes
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
        // Only some segments on the heap, those of byte arrays, have buffers of their own.
        MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, at, heapPiece.array(), 0, length);
        piece = heapPiece.clear().limit(length);
      }
      while (piece.hasRemaining()) {
        channel.write(piece);
      }
    }
  }
}
