package dev.panoptim.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/// CRC-32 as eight hexadecimal digits. The JVM computes it at about the speed of memory, and other
/// languages provide it too (Python: `zlib.crc32`).
///
/// Thread-safe.
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

  /// The checksum of a part of a mapped file. Each part is copied first. If another process
  /// truncates the file, the copy throws an error, whereas the checksum's own read would crash the
  /// JVM.
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
