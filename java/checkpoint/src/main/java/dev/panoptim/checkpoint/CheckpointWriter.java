package dev.panoptim.checkpoint;

import dev.panoptim.internal.checkpoint.CheckpointSupport;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.StateDict;
import dev.panoptim.safetensors.DType;
import dev.panoptim.safetensors.SafetensorsException;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32;

/// The contents of a checkpoint, and the code that writes them to a file.
///
/// Data tensors are named `parameter/NAME`, and states `STATE/NAME`, for example
/// `firstMoment/layer1.weight`. All are vectors of F32. The metadata are three strings:
/// [#TRAINING], [#CHECKSUMS] and [#CHECKSUM].
///
/// @param document the part that is not tensors
/// @param tensors the tensors, in any order
record CheckpointWriter(TrainingDocument document, List<Tensor> tensors) {
  /// The metadata key of the [TrainingDocument].
  static final String TRAINING = "panoptim.training";

  /// The metadata key of a JSON object that maps each tensor's name to the CRC-32 of its bytes.
  static final String CHECKSUMS = "panoptim.checksums";

  /// The metadata key of the CRC-32 of the two other values, concatenated.
  static final String CHECKSUM = "panoptim.checksum";

  static final String PARAMETER = "parameter";

  /// The size of the copy buffer in bytes: 512 KiB stay in the cache between two uses.
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

  /// Collects what a checkpoint of a training contains.
  ///
  /// Everything that cannot be saved is rejected here, before anything is copied or written.
  ///
  /// @param state the state of the training's optimizer
  /// @param taken applied to each live segment: returns the segment itself, or a copy
  /// @throws IllegalArgumentException if the step is negative, or no file can hold the contents
  /// @throws IllegalStateException if the arena of a parameter has been closed
  /// @throws WrongThreadException if a parameter's data are confined to another thread
  static CheckpointWriter of(
      Training training,
      StateDict state,
      long step,
      Map<String, String> extras,
      UnaryOperator<MemorySegment> taken) {
    if (step < 0) {
      throw new IllegalArgumentException("step is " + step + ", but must be 0 or more");
    }
    Savable.requireNames(training.optimizer());
    Savable.requireExtras(extras);
    List<Parameter> parameters = parameters(training);
    parameters.forEach(CheckpointSupport::requireReadable);
    TrainingDocument document =
        new TrainingDocument(
            VERSION,
            step,
            state.parameters(),
            training.scheduler().map(scheduler -> scheduler.state()),
            Map.copyOf(extras));
    List<Tensor> copied = new ArrayList<>();
    List<Tensor> live = new ArrayList<>();
    for (Parameter each : parameters) {
      // Data on a GPU have already been copied to the host by readable().
      boolean here = each.device().isCpu();
      MemorySegment data = each.device().readable(each.data(), each.size() * Float.BYTES);
      (here ? live : copied).add(tensor(PARAMETER, each.name(), data, each.shape()));
    }
    state
        .parameters()
        .forEach(
            (name, of) ->
                of.states()
                    .forEach(
                        (kind, values) -> live.add(tensor(kind, name, values, of.shapeOf(kind)))));
    CheckpointWriter writer = new CheckpointWriter(document, concat(copied, live));
    writer.requireFits();
    List<Tensor> snapshot =
        live.stream()
            .map(
                each ->
                    new Tensor(each.name(), each.dtype(), each.shape(), taken.apply(each.data())))
            .toList();
    return new CheckpointWriter(document, concat(copied, snapshot));
  }

  private static List<Parameter> parameters(Training training) {
    return training.hasParameters()
        ? training.optimizer().paramGroups().stream()
            .flatMap(group -> group.parameters().stream())
            .toList()
        : List.of();
  }

  private static List<Tensor> concat(List<Tensor> first, List<Tensor> second) {
    List<Tensor> all = new ArrayList<>(first);
    all.addAll(second);
    return all;
  }

  private void requireFits() {
    try {
      layout(document.toJson(), unknownChecksums());
    } catch (SafetensorsException e) {
      throw new IllegalArgumentException(
          "the checkpoint of step %s cannot be saved: %s"
              .formatted(document.step(), e.getMessage()),
          e);
    }
  }

  /// A placeholder for each tensor's checksum. The map is sorted, so that the same state always
  /// gives the same file.
  private Map<String, String> unknownChecksums() {
    Map<String, String> checksums = new TreeMap<>();
    tensors.forEach(each -> checksums.put(each.name(), UNKNOWN));
    return checksums;
  }

  static Tensor tensor(String kind, String name, MemorySegment values, List<Long> shape) {
    return new Tensor(kind + "/" + name, DType.F32, shape, values.asReadOnly());
  }

  /// Writes a new file and forces it to the disk. The header is written last, when the checksums
  /// are known; until then the file is not a valid checkpoint.
  ///
  /// @param channel a channel of an empty file
  void write(FileChannel channel, Progress progress) throws IOException {
    String training = document.toJson();
    Map<String, String> checksums = unknownChecksums();
    SafetensorsLayout layout = layout(training, checksums);
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
    writeAll(channel, layout(training, checksums).header().asByteBuffer());
    channel.force(true);
    progress.update(layout.bytes(), layout.bytes());
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
