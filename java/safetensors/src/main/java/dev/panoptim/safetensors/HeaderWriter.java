package dev.panoptim.safetensors;

import dev.panoptim.safetensors.SafetensorsException.Problem;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// Writes a header: its length, compact JSON, and blanks up to a multiple of 8 bytes.
///
/// Not thread-safe.
final class HeaderWriter {
  private static final int ALIGNMENT = 8;

  /// The finished bytes. The first 8 bytes are reserved for the length.
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  /// Characters that are not yet in `bytes`. They are moved in parts, so that a large header is not
  /// held twice.
  private final StringBuilder json = new StringBuilder("{");

  private boolean first = true;

  HeaderWriter() {
    bytes.writeBytes(new byte[Math.toIntExact(Header.LENGTH.byteSize())]);
  }

  void metadata(Map<String, String> metadata) {
    name(Header.METADATA);
    char separator = '{';
    for (Map.Entry<String, String> each : metadata.entrySet()) {
      json.append(separator);
      Text.appendJson(json, each.getKey());
      json.append(':');
      Text.appendJson(json, each.getValue());
      flush();
      separator = ',';
    }
    json.append('}');
  }

  void tensor(Tensor tensor, long begin, long end) {
    name(tensor.name());
    json.append("{\"dtype\":\"").append(tensor.dtype()).append("\",\"shape\":[");
    String separator = "";
    for (long dimension : tensor.shape()) {
      json.append(separator).append(dimension);
      separator = ",";
    }
    json.append("],\"data_offsets\":[").append(begin).append(',').append(end).append("]}");
    flush();
  }

  MemorySegment finish() {
    json.append('}');
    flush();
    while (bytes.size() % ALIGNMENT != 0) {
      bytes.write(' ');
    }
    MemorySegment header = MemorySegment.ofArray(bytes.toByteArray());
    header.set(Header.LENGTH, 0, header.byteSize() - Header.LENGTH.byteSize());
    return header.asReadOnly();
  }

  private void name(String name) {
    if (!first) {
      json.append(',');
    }
    first = false;
    Text.appendJson(json, name);
    json.append(':');
  }

  private void flush() {
    bytes.writeBytes(json.toString().getBytes(StandardCharsets.UTF_8));
    json.setLength(0);
    // The limit is a multiple of 8, so that the padding cannot exceed it.
    if (bytes.size() - Header.LENGTH.byteSize() > Header.MAX_LENGTH) {
      throw new SafetensorsException(
          Problem.HEADER_TOO_LONG,
          "names, shapes and metadata take a header of more than %s bytes, the format's limit"
              .formatted(Header.MAX_LENGTH));
    }
  }
}
