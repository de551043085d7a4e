package dev.panoptim.checkpoint;

import dev.panoptim.internal.checkpoint.TableState;
import dev.panoptim.safetensors.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;

/// Writes tensors whose rows are scattered in memory to a safetensors file, with the checksums of
/// [ChecksummedFile]. A copy of all rows is never in memory.
///
/// Not thread-safe: for one file.
final class TableWriter {
  private static final int PIECE = 512 << 10;
  private static final String UNKNOWN = "00000000";

  /// Larger elements come first, so that all are aligned.
  private final List<Part> parts = new ArrayList<>();

  /// A tensor.
  ///
  /// @param units is read in units of `unitBytes`
  private record Part(
      String name,
      DType type,
      List<Long> shape,
      long units,
      long unitBytes,
      TableState.Reader reader) {}

  /// Adds a tensor of ids.
  void ids(String name, long count, TableState.Reader reader) {
    parts.add(new Part(name, DType.I64, List.of(count), count, Long.BYTES, reader));
  }

  /// Adds a tensor with the values of rows.
  void values(TableState.Field field, TableState.Rows rows) {
    DType type = field.isLong() ? DType.I64 : DType.F32;
    parts.add(
        new Part(
            field.name(),
            type,
            shape(field, rows.count()),
            rows.count(),
            field.bytes(),
            rows.values(field)));
  }

  static List<Long> shape(TableState.Field field, long rows) {
    return field.values() == 0 ? List.of(rows) : List.of(rows, (long) field.values());
  }

  /// Adds a tensor of bytes, a multiple of `unit`.
  void bytes(String name, MemorySegment bytes, int unit) {
    parts.add(
        new Part(
            name,
            DType.U8,
            List.of(bytes.byteSize()),
            bytes.byteSize() / unit,
            unit,
            new TableState.Reader() {
              private long at;

              @Override
              public void read(int count, MemorySegment to) {
                MemorySegment.copy(bytes, at, to, 0, (long) count * unit);
                at += (long) count * unit;
              }
            }));
  }

  /// Writes a new file and forces it to the disk. The header is written last; until then the file
  /// is not valid.
  ///
  /// @param channel a channel of an empty file
  /// @param key the metadata key of the document, or `null` for a file without metadata
  /// @return the checksum of documents and tensors
  String write(FileChannel channel, String key, String document) throws IOException {
    parts.sort((one, two) -> two.type().bits() - one.type().bits());
    Map<String, String> checksums = new TreeMap<>();
    parts.forEach(each -> checksums.put(each.name(), UNKNOWN));
    channel.position(header(key, document, checksums).remaining());
    long most = parts.stream().mapToLong(Part::unitBytes).max().orElse(1);
    ByteBuffer piece = ByteBuffer.allocateDirect((int) Math.max(PIECE, most));
    CRC32 crc = new CRC32();
    for (Part each : parts) {
      crc.reset();
      int unitsOfPiece = (int) (piece.capacity() / each.unitBytes());
      for (long at = 0; at < each.units(); at += unitsOfPiece) {
        int units = (int) Math.min(unitsOfPiece, each.units() - at);
        each.reader().read(units, MemorySegment.ofBuffer(piece.clear()));
        crc.update(piece.limit((int) (units * each.unitBytes())));
        ChecksummedFile.writeAll(channel, piece.rewind());
      }
      checksums.put(each.name(), Checksums.hex(crc));
    }
    channel.position(0);
    ChecksummedFile.writeAll(channel, header(key, document, checksums));
    channel.force(true);
    return Checksums.of(document + Json.write(checksums));
  }

  private ByteBuffer header(String key, String document, Map<String, String> checksums) {
    Map<String, Object> json = new LinkedHashMap<>();
    if (key != null) {
      json.put("__metadata__", ChecksummedFile.metadata(key, document, Json.write(checksums)));
    }
    long end = 0;
    for (Part each : parts) {
      long begin = end;
      end += each.units() * each.unitBytes();
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("dtype", each.type().name());
      entry.put("shape", each.shape());
      entry.put("data_offsets", List.of(begin, end));
      json.put(each.name(), entry);
    }
    byte[] text = Json.write(json).getBytes(StandardCharsets.UTF_8);
    int length = Math.ceilDiv(text.length, Long.BYTES) * Long.BYTES;
    ByteBuffer header =
        ByteBuffer.allocate(Long.BYTES + length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(length)
            .put(text);
    while (header.hasRemaining()) {
      header.put((byte) ' ');
    }
    return header.flip();
  }
}
