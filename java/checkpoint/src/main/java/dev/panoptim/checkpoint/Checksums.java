package dev.panoptim.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/// CRC-32, as eight hexadecimal digits: Java's virtual machine computes it about as fast as memory
/// can be read, and other languages have it (Python's `zlib.crc32`).
final class Checksums {
  private static final int PIECE = 1 << 20;

  private Checksums() {}

  static String hex(CRC32 crc) {
    return "%08x".formatted(crc.getValue());
  }

  static String of(String text) {
    CRC32 crc = new CRC32();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    return hex(crc);
  }

  /// Of a mapped file's part. It is copied first: should another process cut the file off, the copy
  /// throws an error, where the computation would end the virtual machine.
  static String ofMapped(MemorySegment mapped) {
    CRC32 crc = new CRC32();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment piece = arena.allocate(Math.min(PIECE, mapped.byteSize()));
      ByteBuffer bytes = piece.asByteBuffer();
      for (long at = 0; at < mapped.byteSize(); at += PIECE) {
        int length = (int) Math.min(PIECE, mapped.byteSize() - at);
        MemorySegment.copy(mapped, at, piece, 0, length);
        crc.update(bytes.clear().limit(length));
      }
    }
    return hex(crc);
  }
}
