package dev.panoptim.internal.checkpoint;

import dev.panoptim.internal.io.LockedFile;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.memory.Segments;
import dev.panoptim.internal.observe.Savings;
import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.memory.Parameter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;

/// Memory, files, checks and metrics for checkpoints. No other internal class is visible to the
/// module dev.panoptim.checkpoint.
///
/// Thread-safe.
public final class CheckpointSupport {
  /// Work on files.
  ///
  /// @param <T> the type of the result
  public interface Action<T> {
    T run() throws IOException;
  }

  private CheckpointSupport() {}

  /// A shared arena for a copy of the state of a training. Its memory counts against the memory
  /// budget.
  public static Arena arenaForCopy() {
    return OwnedArena.of(MemoryKind.COPIES, Origin.here("the copy of a checkpoint"));
  }

  /// Runs an action while a file is locked, for this and other processes.
  ///
  /// @param file the file to lock; it is created if it does not exist
  /// @throws IllegalStateException as [LockedFile#use]
  /// @throws IOException as [LockedFile#use]
  public static <T> T whileLocked(Path file, Action<T> action) throws IOException {
    return LockedFile.use(file, lock -> action.run());
  }

  /// Saves a checkpoint, and notes that for the metrics and the flight recorder.
  ///
  /// @param file the file that the action writes
  /// @param step the step of the training
  /// @return the result of the action
  public static <T> T save(Path file, long step, Action<T> action) throws IOException {
    Object begun = Savings.begin();
    T result = action.run();
    Path absolute = file.toAbsolutePath().normalize();
    Savings.saved(
        begun, absolute.getParent().toString(), absolute.toString(), step, Files.size(file));
    return result;
  }

  /// Checks that this thread can read the data of a parameter.
  ///
  /// @throws IllegalStateException if the arena of the data has been closed, or the source of the
  ///   gradient says that the data have moved
  /// @throws WrongThreadException if the arena of the data is confined to another thread
  public static void requireReadable(Parameter parameter) {
    parameter.requireInPlace();
    Segments.requireAlive("data of '" + parameter.name() + "'", parameter.data());
  }

  /// Checks that this thread can write the data of a parameter.
  ///
  /// @throws IllegalArgumentException if the data are read-only
  /// @throws IllegalStateException if the arena of the data has been closed
  /// @throws WrongThreadException if the arena of the data is confined to another thread
  public static void requireWritable(Parameter parameter) {
    parameter.requireInPlace();
    TensorChecks.require(
        parameter.device(),
        "data of '" + parameter.name() + "'",
        parameter.size(),
        parameter.data(),
        true);
  }
}
