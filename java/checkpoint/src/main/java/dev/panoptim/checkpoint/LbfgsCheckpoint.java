package dev.panoptim.checkpoint;

import dev.panoptim.internal.checkpoint.CheckpointSupport;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Lbfgs;
import dev.panoptim.optim.LbfgsState;
import dev.panoptim.optim.LbfgsState.HistoryPair;
import dev.panoptim.optim.LbfgsState.ParameterShape;
import dev.panoptim.safetensors.DType;
import dev.panoptim.safetensors.SafetensorsException;
import dev.panoptim.safetensors.SafetensorsFile;
import dev.panoptim.safetensors.Tensor;
import dev.panoptim.safetensors.internal.RegularFiles;
import dev.panoptim.safetensors.internal.UninterruptedIo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/// A checkpoint of [Lbfgs]: one safetensors file with the state and the parameters' data. An
/// optimization that is saved between two steps continues with the same bits.
///
/// ```java
/// LbfgsCheckpoint.save(file, optimizer, Map.of("epoch", "3"));
/// try (LbfgsCheckpoint checkpoint = LbfgsCheckpoint.open(file)) {
///   checkpoint.load(optimizer);
/// }
/// ```
///
/// The tensor `parameter/NAME` has the data of a parameter. The other tensors are vectors of all
/// elements of the parameters, in their order: `lbfgs/direction`, `lbfgs/previousGradient`, and
/// `lbfgs/step/I` and `lbfgs/change/I` for each pair of the history, the oldest with the number 0.
/// `docs/checkpoints.md` in the sources describes the metadata.
///
/// Thread-safe, except for the optimizer that a checkpoint is loaded into. If another process
/// truncates the file while it is mapped, reading from it throws an [InternalError].
public final class LbfgsCheckpoint implements AutoCloseable {
  /// The metadata key of the [LbfgsDocument].
  private static final String KEY = "panoptim.lbfgs";

  private static final String DIRECTION = "lbfgs/direction";
  private static final String PREVIOUS = "lbfgs/previousGradient";
  private static final String STEP = "lbfgs/step/";
  private static final String CHANGE = "lbfgs/change/";

  private final Path file;
  private final Arena arena;
  private final LbfgsDocument document;
  private final LbfgsState state;
  private final Map<String, MemorySegment> parameters = new LinkedHashMap<>();

  private LbfgsCheckpoint(Path file, Arena arena) {
    this.file = file;
    this.arena = arena;
    try {
      SafetensorsFile tensors = SafetensorsFile.map(file, arena);
      document = LbfgsDocument.parse(ChecksummedFile.verify(tensors, KEY));
      state = read(tensors);
    } catch (SafetensorsException | IllegalArgumentException e) {
      throw ChecksummedFile.notIntact(file, "checkpoint of L-BFGS", e);
    }
  }

  /// Saves an optimizer and its parameters' data. May be called by any thread: the save waits for
  /// the running step, and the next step waits for the save.
  ///
  /// The save is atomic: it writes a temporary file in the same folder, forces it to the disk and
  /// renames it. A crash leaves an existing file intact. An interrupt does not stop the save.
  ///
  /// @param file the file; an existing one is replaced and keeps its permissions
  /// @param extras additional strings to save, such as random seeds
  /// @throws IllegalArgumentException if the file is not in the default file system, a name or an
  ///   extra is not valid Unicode, or names and extras exceed the size of a file's header
  /// @throws IllegalStateException if the optimizer or the arena of a parameter has been closed, or
  ///   the closure of a step calls this method
  /// @throws WrongThreadException if a parameter's data are confined to another thread
  /// @throws UncheckedIOException if the file cannot be written; an existing file stays intact
  public static void save(Path file, Lbfgs optimizer, Map<String, String> extras) {
    Objects.requireNonNull(file, "file is null");
    Savable.requireExtras(extras);
    if (file.getFileSystem() != FileSystems.getDefault()) {
      throw new IllegalArgumentException(
          "file %s is in a file system of the kind '%s', but must be in the default one"
              .formatted(file, file.getFileSystem().provider().getScheme()));
    }
    optimizer.withState(
        live -> {
          ChecksummedFile contents = contents(live, optimizer.parameters(), extras);
          contents.requireFits("the state of L-BFGS");
          try {
            return UninterruptedIo.run(() -> write(file, contents, live.iterations()));
          } catch (IOException e) {
            throw new UncheckedIOException(
                "the checkpoint of L-BFGS cannot be saved in %s: %s".formatted(file, e), e);
          }
        });
  }

  private static ChecksummedFile contents(
      LbfgsState live, List<Parameter> parameters, Map<String, String> extras) {
    List<Tensor> tensors = new ArrayList<>();
    for (Parameter each : parameters) {
      CheckpointSupport.requireReadable(each);
      tensors.add(
          CheckpointWriter.tensor(
              CheckpointWriter.PARAMETER, each.name(), each.data(), each.shape()));
    }
    tensors.add(vector(DIRECTION, live.direction()));
    tensors.add(vector(PREVIOUS, live.previousGradient()));
    for (int i = 0; i < live.pairs().size(); i++) {
      tensors.add(vector(STEP + i, live.pairs().get(i).step()));
      tensors.add(vector(CHANGE + i, live.pairs().get(i).change()));
    }
    return new ChecksummedFile(KEY, LbfgsDocument.of(live, extras).toJson(), tensors);
  }

  private static Tensor vector(String name, MemorySegment values) {
    return new Tensor(
        name, DType.F32, List.of(values.byteSize() / Float.BYTES), values.asReadOnly());
  }

  private static Path write(Path file, ChecksummedFile contents, long iterations)
      throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    Path temporary = folder.resolve(".lbfgs-" + UUID.randomUUID() + ".tmp");
    return CheckpointSupport.save(
        file,
        iterations,
        () -> {
          RegularFiles.replace(file, temporary, channel -> contents.write(channel, Progress.NONE));
          CheckpointFolder.force(folder);
          return file;
        });
  }

  /// Maps a checkpoint and reads it once to verify every checksum.
  ///
  /// @throws CheckpointException if the file is not a checkpoint of L-BFGS or any part of it is
  ///   damaged
  /// @throws UncheckedIOException if the file cannot be opened or mapped
  public static LbfgsCheckpoint open(Path file) {
    Arena arena = Arena.ofShared();
    try {
      return new LbfgsCheckpoint(file, arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  private LbfgsState read(SafetensorsFile file) {
    Map<String, Tensor> left = new LinkedHashMap<>(file.tensors());
    long length = 0;
    for (ParameterShape each : document.parameters()) {
      parameters.put(
          each.name(), take(left, CheckpointWriter.PARAMETER + "/" + each.name(), each.shape()));
      length += each.size();
    }
    List<Long> shape = List.of(length);
    List<HistoryPair> pairs = new ArrayList<>();
    for (int i = 0; i < document.inverses().size(); i++) {
      pairs.add(
          new HistoryPair(
              take(left, STEP + i, shape),
              take(left, CHANGE + i, shape),
              document.inverses().get(i)));
    }
    LbfgsState read =
        new LbfgsState(
            document.parameters(),
            document.learningRate(),
            document.iterations(),
            document.evaluations(),
            document.stepLength(),
            document.scale(),
            take(left, DIRECTION, shape),
            take(left, PREVIOUS, shape),
            pairs);
    if (!left.isEmpty()) {
      throw new IllegalArgumentException("it has unknown tensors: " + left.keySet());
    }
    return read;
  }

  private static MemorySegment take(Map<String, Tensor> left, String name, List<Long> shape) {
    Tensor found = left.remove(name);
    if (found == null) {
      throw new IllegalArgumentException("it has no tensor '" + name + "'");
    }
    if (found.dtype() != DType.F32 || !found.shape().equals(shape)) {
      throw new IllegalArgumentException(
          "tensor '%s' is %s %s, but must be F32 %s"
              .formatted(name, found.dtype(), found.shape(), shape));
    }
    return found.data();
  }

  /// The version of Panoptim that wrote the checkpoint.
  public String libraryVersion() {
    return document.version();
  }

  /// The strings that the user saved. Unmodifiable.
  public Map<String, String> extras() {
    return document.extras();
  }

  /// The optimizer's state. Its segments are mapped and read-only; they are valid until [#close].
  public LbfgsState state() {
    return state;
  }

  /// The parameters' data by name, as float32. The segments are mapped and read-only; they are
  /// valid until [#close].
  public Map<String, MemorySegment> parameters() {
    return Map.copyOf(parameters);
  }

  /// All reasons why [#load] would reject an optimizer, a sentence for each; empty if it fits.
  /// Changes nothing.
  ///
  /// @throws IllegalStateException if this checkpoint or the optimizer has been closed
  public List<String> differences(Lbfgs optimizer) {
    requireOpen();
    return optimizer.differences(state);
  }

  /// Sets the optimizer's state and the parameters' data to the saved ones. Options other than the
  /// learning rate, the backend and the number of threads are the optimizer's. No step may run
  /// during the load.
  ///
  /// If this method throws, nothing has changed.
  ///
  /// @throws IllegalArgumentException if the optimizer does not fit; the message lists all
  ///   [#differences]
  /// @throws IllegalStateException if this checkpoint, the optimizer or the arena of a parameter
  ///   has been closed, or the closure of a step calls this method
  /// @throws WrongThreadException if a parameter's data are confined to another thread
  /// @throws OutOfMemoryError if the system has too little memory for the history
  public void load(Lbfgs optimizer) {
    List<String> differences = differences(optimizer);
    if (!differences.isEmpty()) {
      throw new IllegalArgumentException(
          file + " does not fit the optimizer: " + String.join("; ", differences));
    }
    optimizer.parameters().forEach(CheckpointSupport::requireWritable);
    optimizer.loadState(state);
    optimizer.parameters().forEach(each -> each.copyDataFrom(parameters.get(each.name())));
  }

  private void requireOpen() {
    if (!arena.scope().isAlive()) {
      throw new IllegalStateException("the checkpoint " + file + " has been closed");
    }
  }

  /// Unmaps the file. Closing twice has no effect.
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
