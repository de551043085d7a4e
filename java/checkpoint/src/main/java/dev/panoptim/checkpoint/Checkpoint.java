package dev.panoptim.checkpoint;

import dev.panoptim.internal.checkpoint.CheckpointSupport;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.ParameterGroup;
import dev.panoptim.optim.StateDict;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.safetensors.DType;
import dev.panoptim.safetensors.SafetensorsException;
import dev.panoptim.safetensors.SafetensorsFile;
import dev.panoptim.safetensors.Tensor;
import dev.panoptim.schedule.Scheduler;
import dev.panoptim.schedule.SchedulerState;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// An open checkpoint: a memory-mapped safetensors file whose checksums have all been verified.
///
/// ```java
/// try (Checkpoint checkpoint = Checkpoint.open(folder.latest().orElseThrow())) {
///   checkpoint.load(Training.of(optimizer).withScheduler(scheduler));
/// }
/// ```
///
/// `docs/checkpoints.md` in the sources describes the file format, so that other programs can read
/// it.
///
/// Thread-safe, except for the training that a checkpoint is loaded into. If another process
/// truncates the file while it is mapped, reading from it throws an [InternalError].
public final class Checkpoint implements AutoCloseable {
  private final Path file;
  private final Arena arena;
  private final TrainingDocument document;
  private final StateDict state;

  /// Empty if the checkpoint was saved without the parameters' data.
  private final Map<String, MemorySegment> parameters = new LinkedHashMap<>();

  private Checkpoint(Path file, Arena arena) {
    this.file = file;
    this.arena = arena;
    try {
      SafetensorsFile tensors = SafetensorsFile.map(file, arena);
      document = TrainingDocument.parse(ChecksummedFile.verify(tensors, CheckpointWriter.TRAINING));
      state = stateDict(tensors);
    } catch (SafetensorsException | IllegalArgumentException e) {
      throw ChecksummedFile.notIntact(file, "checkpoint", e);
    }
  }

  /// Maps a checkpoint and reads it once to verify every checksum.
  ///
  /// @throws CheckpointException if the file is not a checkpoint or any part of it is damaged
  /// @throws UncheckedIOException if the file cannot be opened or mapped
  public static Checkpoint open(Path file) {
    Arena arena = Arena.ofShared();
    try {
      return new Checkpoint(file, arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  /// Assigns each tensor to the parameter that its name contains.
  private StateDict stateDict(SafetensorsFile tensors) {
    Map<String, Map<String, MemorySegment>> states = new LinkedHashMap<>();
    for (Tensor each : tensors.tensors().values()) {
      int slash = each.name().indexOf('/');
      String kind = each.name().substring(0, Math.max(slash, 0));
      String name = each.name().substring(slash + 1);
      StateDict.ParameterState described = document.parameters().get(name);
      if (slash < 0 || described == null) {
        throw new IllegalArgumentException(
            "tensor '%s' belongs to no parameter of the checkpoint".formatted(each.name()));
      }
      List<Long> shape =
          kind.equals(CheckpointWriter.PARAMETER) ? described.shape() : described.shapeOf(kind);
      if (each.dtype() != DType.F32 || !each.shape().equals(shape)) {
        throw new IllegalArgumentException(
            "tensor '%s' is %s %s, but must be F32 %s"
                .formatted(each.name(), each.dtype(), each.shape(), shape));
      }
      if (kind.equals(CheckpointWriter.PARAMETER)) {
        parameters.put(name, each.data());
      } else {
        states.computeIfAbsent(name, key -> new LinkedHashMap<>()).put(kind, each.data());
      }
    }
    if (!parameters.isEmpty() && parameters.size() != document.parameters().size()) {
      Set<String> missing = new HashSet<>(document.parameters().keySet());
      missing.removeAll(parameters.keySet());
      throw new IllegalArgumentException("the data of these parameters are missing: " + missing);
    }
    Map<String, StateDict.ParameterState> all = new LinkedHashMap<>();
    document
        .parameters()
        .forEach(
            (name, described) ->
                all.put(
                    name,
                    new StateDict.ParameterState(
                        described.rule(),
                        described.shape(),
                        described.steps(),
                        described.scalars(),
                        described.hyperparameters(),
                        states.getOrDefault(name, Map.of()))));
    return new StateDict(all);
  }

  TrainingDocument document() {
    return document;
  }

  /// The step that was given when the checkpoint was saved.
  public long step() {
    return document.step();
  }

  /// The version of Panoptim that wrote the checkpoint.
  public String libraryVersion() {
    return document.version();
  }

  /// The update rule of all parameters.
  ///
  /// @throws IllegalStateException if the parameters have different rules; those are in
  ///   [#stateDict()]
  public Rule rule() {
    return state.rule();
  }

  /// The strings that the user saved with the training, such as random seeds. Unmodifiable.
  public Map<String, String> extras() {
    return Map.copyOf(document.extras());
  }

  /// The optimizer's state. Its segments are mapped and read-only; they are valid until [#close].
  public StateDict stateDict() {
    return state;
  }

  /// The parameters' data by name, as float32. The segments are mapped and read-only; they are
  /// valid until [#close]. The map is empty if the checkpoint was saved without the parameters'
  /// data.
  public Map<String, MemorySegment> parameters() {
    return Map.copyOf(parameters);
  }

  /// The scheduler's state, or empty if the checkpoint was saved without a scheduler.
  public Optional<SchedulerState> schedulerState() {
    return document.scheduler();
  }

  /// Lists every reason why [#load(Training, Map)] would reject the training, one sentence each.
  /// The list is empty if everything fits. Changes nothing.
  ///
  /// @param renaming maps names in the checkpoint to names in the training; other names stay the
  ///   same
  /// @throws IllegalStateException if this checkpoint or the optimizer has been closed
  public List<String> differences(Training training, Map<String, String> renaming) {
    requireOpen();
    List<String> all = new ArrayList<>(training.optimizer().differences(state, renaming));
    if (training.hasParameters() && parameters.isEmpty() && !document.parameters().isEmpty()) {
      all.add("the checkpoint was saved without the parameters' data");
    }
    if (training.scheduler().isPresent() && schedulerState().isPresent()) {
      SchedulerState saved = schedulerState().get();
      all.addAll(training.scheduler().get().differences(saved, driven(saved, renaming)));
    } else if (training.scheduler().isPresent()) {
      all.add("the checkpoint was saved without a scheduler");
    } else if (schedulerState().isPresent() && !training.ignoresScheduler()) {
      all.add("the checkpoint was saved with a scheduler, but the training has none");
    }
    return List.copyOf(all);
  }

  /// Loads the checkpoint without renaming parameters; see [#load(Training, Map)].
  ///
  /// @throws IllegalArgumentException as [#load(Training, Map)]
  /// @throws IllegalStateException as [#load(Training, Map)]
  /// @throws WrongThreadException as [#load(Training, Map)]
  /// @throws OutOfMemoryError as [#load(Training, Map)]
  public void load(Training training) {
    load(training, Map.of());
  }

  /// Sets the optimizer's states, step counts and hyperparameters, the parameters' data and the
  /// scheduler's state to the saved ones. The backend, the number of threads and the grouping of
  /// the training may differ from the saved training. No step may run during the load. If the
  /// optimizer publishes its parameters, it publishes the loaded ones.
  ///
  /// If this method throws, nothing has changed.
  ///
  /// @param renaming as in [#differences]
  /// @throws IllegalArgumentException if the training does not fit; the message lists all
  ///   [#differences]
  /// @throws IllegalStateException if this checkpoint, the optimizer or the arena of a parameter
  ///   has been closed, or if a hook of the optimizer calls this method
  /// @throws WrongThreadException if a parameter's data are confined to another thread
  /// @throws OutOfMemoryError if the system has too little memory for the states
  public void load(Training training, Map<String, String> renaming) {
    List<String> differences = differences(training, renaming);
    if (!differences.isEmpty()) {
      throw new IllegalArgumentException(
          file + " does not fit the training: " + String.join("; ", differences));
    }
    Optimizer optimizer = training.optimizer();
    if (training.hasParameters()) {
      requireAccess(optimizer);
    }
    loadStates(training, renaming);
    if (training.hasParameters()) {
      loadParameters(optimizer, renaming);
      optimizer.refreshHalfPrecisionCopies();
    }
    optimizer.refreshPublication();
  }

  /// Limits a renaming to the parameters that the saved scheduler drives; it rejects unknown names.
  private static Map<String, String> driven(SchedulerState saved, Map<String, String> renaming) {
    Map<String, String> known = new LinkedHashMap<>(renaming);
    known
        .keySet()
        .removeIf(
            name -> saved.drives().stream().noneMatch(each -> each.initial().containsKey(name)));
    return known;
  }

  /// Checks that all data can be written, before the states are loaded.
  private static void requireAccess(Optimizer optimizer) {
    for (ParameterGroup group : optimizer.paramGroups()) {
      for (Parameter each : group.parameters()) {
        CheckpointSupport.requireWritable(each);
      }
    }
  }

  /// Loads the states of the scheduler and of the optimizer, or neither.
  private void loadStates(Training training, Map<String, String> renaming) {
    Optimizer optimizer = training.optimizer();
    Scheduler scheduler = training.scheduler().orElse(null);
    if (scheduler == null) {
      optimizer.loadStateDict(state, renaming);
      return;
    }
    SchedulerState before = scheduler.state();
    Map<ParameterGroup, Map<Hyperparameter, Double>> values = new LinkedHashMap<>();
    for (ParameterGroup group : optimizer.paramGroups()) {
      Map<Hyperparameter, Double> ofGroup = new LinkedHashMap<>();
      group.hyperparameters().forEach(name -> ofGroup.put(name, group.get(name)));
      values.put(group, ofGroup);
    }
    SchedulerState saved = schedulerState().orElseThrow();
    scheduler.load(saved, driven(saved, renaming));
    try {
      optimizer.loadStateDict(state, renaming);
    } catch (Throwable e) {
      scheduler.load(before, Map.of());
      values.forEach((group, ofGroup) -> ofGroup.forEach(group::set));
      throw e;
    }
  }

  private void loadParameters(Optimizer optimizer, Map<String, String> renaming) {
    Map<String, MemorySegment> renamed = new LinkedHashMap<>();
    parameters.forEach((name, data) -> renamed.put(renaming.getOrDefault(name, name), data));
    for (ParameterGroup group : optimizer.paramGroups()) {
      for (Parameter each : group.parameters()) {
        each.copyDataFrom(renamed.get(each.name()));
      }
    }
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
