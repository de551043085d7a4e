package dev.panoptim.checkpoint;

import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.StateDict;
import dev.panoptim.safetensors.DType;
import dev.panoptim.safetensors.SafetensorsLayout;
import dev.panoptim.safetensors.SafetensorsWriter;
import dev.panoptim.safetensors.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32;

/// The contents of a checkpoint, and how they become a file.
///
/// The names of its tensors are `parameter/NAME`, and for each state `STATE/NAME`, such as
/// `firstMoment/layer1.weight`; they are vectors of F32. The metadata are three strings:
/// [#TRAINING], [#CHECKSUMS] and [#CHECKSUM].
///
/// @param document what is said beside the tensors
/// @param tensors in any order
record CheckpointWriter(TrainingDocument document, List<Tensor> tensors) {
  /// Metadata: the [TrainingDocument].
  static final String TRAINING = "panoptim.training";

  /// Metadata: a JSON object with the CRC-32 of each tensor's bytes, by its name.
  static final String CHECKSUMS = "panoptim.checksums";

  /// Metadata: the CRC-32 of the other two, one after the other.
  static final String CHECKSUM = "panoptim.checksum";

  static final String PARAMETER = "parameter";

  /// So small that it stays in the cache from one use to the next.
  private static final int PIECE = 512 << 10;

  private static final String UNKNOWN = "00000000";
  private static final String VERSION = version();

  private static String version() {
    try (InputStream in = CheckpointWriter.class.getResourceAsStream("version.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("the library's version cannot be read", e);
    }
  }

  /// What is to be written of a training.
  ///
  /// @param state of the training's optimizer
  /// @param taken what becomes of each segment: itself, or a copy of it
  static CheckpointWriter of(
      Training training,
      StateDict state,
      long step,
      Map<String, String> extras,
      UnaryOperator<MemorySegment> taken) {
    if (step < 0) {
      throw new IllegalArgumentException("step is " + step + ", but must be 0 or more");
    }
    List<Tensor> tensors = new ArrayList<>();
    if (training.hasParameters()) {
      training
          .optimizer()
          .paramGroups()
          .forEach(
              group -> {
                for (Parameter each : group.parameters()) {
                  tensors.add(tensor(PARAMETER, each.name(), data(each, taken)));
                }
              });
    }
    state
        .parameters()
        .forEach(
            (name, of) ->
                of.states()
                    .forEach(
                        (kind, values) -> tensors.add(tensor(kind, name, taken.apply(values)))));
    return new CheckpointWriter(
        new TrainingDocument(
            VERSION,
            step,
            state.rule(),
            state.parameters(),
            training.scheduler().map(scheduler -> scheduler.state()),
            Map.copyOf(extras)),
        tensors);
  }

  /// Of what is on a graphics card, a copy.
  private static MemorySegment data(Parameter parameter, UnaryOperator<MemorySegment> taken) {
    return parameter.device().isCpu()
        ? taken.apply(parameter.data())
        : parameter.device().copyOf(parameter.data(), parameter.size() * Float.BYTES);
  }

  static Tensor tensor(String kind, String name, MemorySegment values) {
    return Tensor.of(
        kind + "/" + name, DType.F32, values.asReadOnly(), values.byteSize() / Float.BYTES);
  }

  /// Writes a new file and forces it to the disk. The header comes last, when the checksums are
  /// known: until then the file is no checkpoint.
  ///
  /// @param file must not exist
  void write(Path file, Progress progress) throws IOException {
    String training = document.toJson();
    // Sorted, so that the same state gives the same file.
    Map<String, String> checksums = new TreeMap<>();
    tensors.forEach(each -> checksums.put(each.name(), UNKNOWN));
    SafetensorsLayout layout = layout(training, checksums);
    long written = layout.header().byteSize();
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      channel.position(written);
      CRC32 crc = new CRC32();
      ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
      for (Tensor each : layout.tensors()) {
        crc.reset();
        MemorySegment data = each.data();
        for (long at = 0; at < data.byteSize(); at += PIECE) {
          int length = (int) Math.min(PIECE, data.byteSize() - at);
          // A copy, so that the checksum is of what is written even where other processes share
          // the states and step meanwhile.
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
      writeAll(channel, layout(training, checksums).header().asByteBuffer());
      channel.force(true);
      progress.update(layout.bytes(), layout.bytes());
    }
  }

  private SafetensorsLayout layout(String training, Map<String, String> checksums) {
    String sums = Json.write(checksums);
    return SafetensorsWriter.layout(
        tensors,
        Map.of(TRAINING, training, CHECKSUMS, sums, CHECKSUM, Checksums.of(training + sums)));
  }

  private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
