package dev.panoptim.checkpoint;

import dev.panoptim.safetensors.SafetensorsException;
import dev.panoptim.safetensors.SafetensorsFile;
import dev.panoptim.safetensors.SafetensorsLayout;
import dev.panoptim.safetensors.SafetensorsWriter;
import dev.panoptim.safetensors.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;

/// A safetensors file with a document, and a checksum of every part. The metadata are three
/// strings: the document, [#CHECKSUMS] and [#CHECKSUM].
///
/// @param key the metadata key of the document
/// @param document as JSON
/// @param tensors the tensors, in any order
record ChecksummedFile(String key, String document, List<Tensor> tensors) {
  /// The metadata key of a JSON object that maps each tensor's name to the CRC-32 of its bytes.
  private static final String CHECKSUMS = "panoptim.checksums";

  /// The metadata key of the CRC-32 of the two other values, concatenated.
  private static final String CHECKSUM = "panoptim.checksum";

  /// The size of the copy buffer in bytes: 512 KiB stay in the cache between two uses.
  private static final int PIECE = 512 << 10;

  private static final String UNKNOWN = "00000000";

  /// @param what the contents, for the message
  /// @throws IllegalArgumentException if no file can hold the contents
  void requireFits(String what) {
    try {
      layout(unknownChecksums());
    } catch (SafetensorsException e) {
      throw new IllegalArgumentException(
          "%s cannot be saved: %s".formatted(what, e.getMessage()), e);
    }
  }

  /// A placeholder for each tensor's checksum. The map is sorted, so that the same state always
  /// gives the same file.
  private Map<String, String> unknownChecksums() {
    Map<String, String> checksums = new TreeMap<>();
    tensors.forEach(each -> checksums.put(each.name(), UNKNOWN));
    return checksums;
  }

  /// Writes a new file and forces it to the disk. The header is written last, when the checksums
  /// are known; until then the file is not a valid checkpoint.
  ///
  /// @param channel a channel of an empty file
  void write(FileChannel channel, Progress progress) throws IOException {
    Map<String, String> checksums = unknownChecksums();
    SafetensorsLayout layout = layout(checksums);
    long written = layout.header().byteSize();
    channel.position(written);
    CRC32 crc = new CRC32();
    ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
    for (Tensor each : layout.tensors()) {
      crc.reset();
      MemorySegment data = each.data();
      for (long at = 0; at < data.byteSize(); at += PIECE) {
        int length = (int) Math.min(PIECE, data.byteSize() - at);
        // The checksum is computed from a copy, because other processes may share the states and
        // change them meanwhile.
        MemorySegment.copy(data, at, MemorySegment.ofBuffer(piece.clear()), 0, length);
        crc.update(piece.limit(length));
        writeAll(channel, piece.rewind());
        written += length;
        if (written < layout.bytes()) {
          progress.update(written, layout.bytes());
        }
      }
      checksums.put(each.name(), Checksums.hex(crc));
    }
    channel.position(0);
    writeAll(channel, layout(checksums).header().asByteBuffer());
    channel.force(true);
    progress.update(layout.bytes(), layout.bytes());
  }

  private SafetensorsLayout layout(Map<String, String> checksums) {
    String sums = Json.write(checksums);
    return SafetensorsWriter.layout(tensors, metadata(key, document, sums));
  }

  /// The metadata of a file, sorted.
  ///
  /// @param checksums of the tensors, as JSON
  static Map<String, String> metadata(String key, String document, String checksums) {
    return new TreeMap<>(
        Map.of(key, document, CHECKSUMS, checksums, CHECKSUM, Checksums.of(document + checksums)));
  }

  /// The checksum of the metadata, and so of all: they have the checksums of the tensors.
  ///
  /// @throws IllegalArgumentException if the file has none
  static String checksum(SafetensorsFile file) {
    return metadata(file, CHECKSUM);
  }

  static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /// Verifies the checksums of the metadata and of every tensor.
  ///
  /// @param key as in [ChecksummedFile]
  /// @return the document, as JSON
  /// @throws IllegalArgumentException if one differs, or the metadata have other entries
  static String verify(SafetensorsFile file, String key) {
    String document = document(file, key);
    String checksums = metadata(file, CHECKSUMS);
    Fields expected = new Fields("checksums", Json.read(checksums));
    for (Tensor each : file.tensors().values()) {
      requireSame(
          "tensor '" + each.name() + "'",
          expected.text(each.name()),
          Checksums.ofMapped(each.data()));
    }
    expected.end();
    if (file.metadata().size() != 3) {
      throw new IllegalArgumentException(
          "its metadata must have exactly the three entries of a checkpoint, but have "
              + file.metadata().keySet());
    }
    return document;
  }

  /// The document of a file, of which nothing but the metadata is verified.
  ///
  /// @param key as in [ChecksummedFile]
  /// @throws IllegalArgumentException if they are damaged
  static String document(SafetensorsFile file, String key) {
    String document = metadata(file, key);
    String checksums = metadata(file, CHECKSUMS);
    requireSame("the metadata", metadata(file, CHECKSUM), Checksums.of(document + checksums));
    return document;
  }

  private static String metadata(SafetensorsFile file, String key) {
    String value = file.metadata().get(key);
    if (value == null) {
      throw new IllegalArgumentException("its metadata have no entry '" + key + "'");
    }
    return value;
  }

  private static void requireSame(String what, String expected, String found) {
    if (!found.equals(expected)) {
      throw new IllegalArgumentException(
          "the checksum of %s is %s, but must be %s".formatted(what, found, expected));
    }
  }

  /// The exception for a file that has been rejected.
  ///
  /// @param kind what the file should be
  static CheckpointException notIntact(Path file, String kind, RuntimeException cause) {
    // The safetensors reader starts its messages with the file's name too; the name is written
    // once.
    String why = String.valueOf(cause.getMessage());
    String name = file + ": ";
    return new CheckpointException(
        "%s is no intact %s: %s"
            .formatted(file, kind, why.startsWith(name) ? why.substring(name.length()) : why),
        cause);
  }
}
