package dev.panoptim.safetensors;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Map;

/// Builds files in memory.
final class TestFiles {
  private TestFiles() {}

  /// @param data the number of zero bytes of data after the header
  static byte[] file(String header, int data) {
    return file(header.getBytes(StandardCharsets.UTF_8), new byte[data]);
  }

  static byte[] file(byte[] header, byte[] data) {
    return ByteBuffer.allocate(Long.BYTES + header.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .put(data)
        .array();
  }

  static SafetensorsFile read(byte[] file) {
    return SafetensorsFile.of(MemorySegment.ofArray(file));
  }

  static byte[] write(Collection<Tensor> tensors, Map<String, String> metadata) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    SafetensorsWriter.write(Channels.newChannel(bytes), tensors, metadata);
    return bytes.toByteArray();
  }

  static byte[] bytes(Tensor tensor) {
    return tensor.data().toArray(ValueLayout.JAVA_BYTE);
  }
}
