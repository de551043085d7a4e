package dev.panoptim.safetensors;

import dev.panoptim.safetensors.SafetensorsException.Problem;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/// The header of a file, checked against the file's length.
///
/// @param dataStart the position of the tensors' bytes in the file
/// @param entries the tensors in the order of their bytes, which they cover without gaps
/// @param metadata the metadata, in the order of the header
record Header(long dataStart, List<Entry> entries, Map<String, String> metadata) {
  /// The largest length of a header in bytes, as in the reference implementation.
  static final int MAX_LENGTH = 100_000_000;

  static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  static final String METADATA = "__metadata__";

  /// The place of a tensor in the file.
  ///
  /// @param begin the first byte, counted from [#dataStart]
  /// @param end the byte after the last one, counted from [#dataStart]
  record Entry(String name, DType dtype, List<Long> shape, long begin, long end) {}

  /// A tensor without bytes precedes the tensor that begins at the same place.
  private static final Comparator<Entry> BY_PLACE =
      Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end);

  /// @param start the first bytes of the file, at least up to the header's end
  /// @param fileLength the length of the file in bytes
  /// @throws SafetensorsException if the header is malformed or does not fit the file
  static Header read(MemorySegment start, long fileLength) {
    if (fileLength < LENGTH.byteSize()) {
      throw new SafetensorsException(
          Problem.FILE_TOO_SHORT,
          "the file has %s bytes, but must have at least the 8 bytes of the header's length"
              .formatted(fileLength));
    }
    long length = start.get(LENGTH, 0);
    if (length < 0 || length > MAX_LENGTH) {
      throw new SafetensorsException(
          Problem.HEADER_TOO_LONG,
          "the header's length is %s bytes, but must be at most %s"
              .formatted(Long.toUnsignedString(length), MAX_LENGTH));
    }
    if (length > fileLength - LENGTH.byteSize()) {
      throw new SafetensorsException(
          Problem.HEADER_BEYOND_FILE,
          "the header's length is %s bytes, but only %s follow in the file"
              .formatted(length, fileLength - LENGTH.byteSize()));
    }
    HeaderParser parser = new HeaderParser();
    parser.parse(start.asSlice(LENGTH.byteSize(), length));
    long dataStart = LENGTH.byteSize() + length;
    List<Entry> entries = new ArrayList<>(parser.entries.values());
    entries.sort(BY_PLACE);
    requireCover(entries, fileLength - dataStart);
    return new Header(dataStart, entries, parser.metadata());
  }

  private static void requireCover(List<Entry> entries, long dataLength) {
    long covered = 0;
    for (Entry each : entries) {
      if (each.end > dataLength) {
        throw new SafetensorsException(
            Problem.OFFSETS_OUT_OF_BOUNDS,
            "tensor %s: data_offsets are [%s, %s], but the file has only %s bytes of data"
                .formatted(Text.quote(each.name), each.begin, each.end, dataLength));
      }
      if (each.begin != covered) {
        throw new SafetensorsException(
            each.begin > covered ? Problem.HOLE : Problem.OVERLAP,
            "tensor %s: data_offsets are [%s, %s], but must begin at %s, the end of the previous tensor"
                .formatted(Text.quote(each.name), each.begin, each.end, covered));
      }
      covered = each.end;
    }
    if (covered != dataLength) {
      throw new SafetensorsException(
          Problem.TRAILING_BYTES,
          "the tensors end after %s bytes of data, but the file has %s"
              .formatted(covered, dataLength));
    }
  }
}
