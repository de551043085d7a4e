package dev.panoptim.djl;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Writes a TorchScript module, as `torch.jit.save` does: a linear layer. (The format is described
/// in
/// [torch/csrc/jit/docs/serialization.md](https://github.com/pytorch/pytorch/blob/main/torch/csrc/jit/docs/serialization.md).)
final class TorchScriptFile {
  private static final String CODE =
      """
      class Layer(Module):
        __parameters__ = ["weight", "bias", ]
        __buffers__ = []
        weight : Tensor
        bias : Tensor
        training : bool
        def forward(self: __torch__.Layer,
          x: Tensor) -> Tensor:
          return torch.linear(x, self.weight, self.bias)
      """;

  private final ByteArrayOutputStream pickle = new ByteArrayOutputStream();

  private TorchScriptFile() {}

  /// @param weight row by row, as many rows as `bias` has elements
  static void write(Path file, float[] weight, float[] bias) throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      byte[] none = {(byte) 0x80, 2, ')', '.'};
      add(zip, "version", "3\n".getBytes(StandardCharsets.US_ASCII));
      add(zip, "data.pkl", new TorchScriptFile().module(weight.length, bias.length));
      add(zip, "constants.pkl", none);
      add(zip, "code/__torch__.py", CODE.getBytes(StandardCharsets.US_ASCII));
      add(zip, "data/0", bytes(weight));
      add(zip, "data/1", bytes(bias));
    }
  }

  private static void add(ZipOutputStream zip, String name, byte[] content) throws IOException {
    ZipEntry entry = new ZipEntry("layer/" + name);
    CRC32 checksum = new CRC32();
    checksum.update(content);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(checksum.getValue());
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }

  private static byte[] bytes(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  private byte[] module(int weight, int bias) {
    put((byte) 0x80, (byte) 2);
    global("__torch__", "Layer");
    put(')', (byte) 0x81, '}', '('); // a new object and a dictionary of its state
    text("weight");
    tensor("0", bias, weight / bias);
    text("bias");
    tensor("1", bias);
    text("training");
    put((byte) 0x88, 'u', 'b', '.');
    return pickle.toByteArray();
  }

  private void tensor(String storage, int... sizes) {
    int elements = 1;
    for (int size : sizes) {
      elements *= size;
    }
    global("torch._utils", "_rebuild_tensor_v2");
    put('(', '(');
    text("storage");
    global("torch", "FloatStorage");
    text(storage);
    text("cpu");
    number(elements);
    put('t', 'Q');
    number(0);
    put('(');
    for (int size : sizes) {
      number(size);
    }
    put('t', '(');
    int stride = elements;
    for (int size : sizes) {
      stride /= size;
      number(stride);
    }
    put('t', (byte) 0x88); // requires a gradient
    global("collections", "OrderedDict");
    put(')', 'R', 't', 'R');
  }

  private void global(String module, String name) {
    pickle.writeBytes(("c" + module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
  }

  private void text(String value) {
    byte[] bytes = value.getBytes(StandardCharsets.US_ASCII);
    put('X');
    pickle.writeBytes(littleEndian(bytes.length));
    pickle.writeBytes(bytes);
  }

  private void number(int value) {
    put('J');
    pickle.writeBytes(littleEndian(value));
  }

  private static byte[] littleEndian(int value) {
    return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  private void put(int... codes) {
    for (int code : codes) {
      pickle.write(code);
    }
  }
}
