package dev.panoptim.checkpoint;

import dev.panoptim.internal.checkpoint.CheckpointSupport;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.StateDict;
import dev.panoptim.safetensors.DType;
import dev.panoptim.safetensors.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/// The contents of a checkpoint, and the code that writes them to a file.
///
/// Data tensors are named `parameter/NAME`, and states `STATE/NAME`, for example
/// `firstMoment/layer1.weight`. All are F32. The metadata are the document, by the key [#TRAINING],
/// and the checksums of [ChecksummedFile].
///
/// @param document the part that is not tensors
/// @param tensors the tensors, in any order
record CheckpointWriter(TrainingDocument document, List<Tensor> tensors) {
  /// The metadata key of the [TrainingDocument].
  static final String TRAINING = "panoptim.training";

  static final String PARAMETER = "parameter";

  /// The version of this library.
  static final String VERSION = version();

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
    new ChecksummedFile(TRAINING, document.toJson(), tensors)
        .requireFits("the checkpoint of step " + document.step());
  }

  static Tensor tensor(String kind, String name, MemorySegment values, List<Long> shape) {
    return new Tensor(kind + "/" + name, DType.F32, shape, values.asReadOnly());
  }

  /// Writes a new file and forces it to the disk; see [ChecksummedFile#write].
  void write(FileChannel channel, Progress progress) throws IOException {
    new ChecksummedFile(TRAINING, document.toJson(), tensors).write(channel, progress);
  }
}
