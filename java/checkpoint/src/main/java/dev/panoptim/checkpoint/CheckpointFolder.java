package dev.panoptim.checkpoint;

import dev.panoptim.internal.checkpoint.CheckpointSupport;
import dev.panoptim.optim.StateDict;
import dev.panoptim.safetensors.internal.RegularFiles;
import dev.panoptim.safetensors.internal.UninterruptedIo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A folder with the latest checkpoints of one training: `step-000000001000.safetensors` and so on.
///
/// ```java
/// CheckpointFolder folder = CheckpointFolder.of(Path.of("checkpoints"), 3);
/// folder.save(Training.of(optimizer), step, Map.of("seed", "1"));
/// ```
///
/// A save is atomic: it writes a temporary file, forces it to the disk, renames it and forces the
/// folder to the disk. A crash of the process or of the machine therefore leaves every earlier
/// checkpoint intact. The next save removes temporary files that a crash has left.
///
/// A checkpoint is a regular file, or a link to one, whose name is the name of a step. All other
/// files in the folder are ignored and left alone. The names are the same in every locale.
///
/// Thread-safe. Saves to one folder run one after the other, also between processes and between
/// class loaders of one process.
public final class CheckpointFolder {
  private static final Pattern NAME = Pattern.compile("step-(\\d{12,19})\\.safetensors");
  private static final Pattern TEMPORARY = Pattern.compile("\\.step-\\d+\\.tmp");
  private static final boolean WINDOWS =
      System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");

  private final Path folder;
  private final int keep;
  private final Progress progress;

  /// Held by a save, from before it copies the states until the file is complete.
  private final Semaphore turn;

  private CheckpointFolder(Path folder, int keep, Progress progress, Semaphore turn) {
    this.turn = turn;
    this.folder = folder;
    this.keep = keep;
    this.progress = progress;
  }

  /// Opens a folder.
  ///
  /// @param folder the folder; the first save creates it if it does not exist
  /// @param keep the number of checkpoints to keep, 1 or more; after each save, older ones are
  ///   deleted
  /// @throws IllegalArgumentException if `keep` is less than 1, or if the folder is not in the
  ///   default file system; only files there can be locked and mapped
  public static CheckpointFolder of(Path folder, int keep) {
    requireDefault(folder);
    if (keep < 1) {
      throw new IllegalArgumentException("keep is " + keep + ", but must be 1 or more");
    }
    return new CheckpointFolder(folder, keep, Progress.NONE, new Semaphore(1, true));
  }

  /// @throws IllegalArgumentException if a folder is not in the default file system
  static void requireDefault(Path folder) {
    Objects.requireNonNull(folder, "folder is null");
    if (folder.getFileSystem() != FileSystems.getDefault()) {
      throw new IllegalArgumentException(
          "folder %s is in a file system of the kind '%s', but must be in the default one"
              .formatted(folder, folder.getFileSystem().provider().getScheme()));
    }
  }

  /// Returns the same folder with saves that report their progress.
  public CheckpointFolder withProgress(Progress value) {
    return new CheckpointFolder(
        folder, keep, Objects.requireNonNull(value, "progress is null"), turn);
  }

  /// Writes a checkpoint directly from the memory of the optimizer and the parameters.
  ///
  /// A training without a scheduler may be saved by any thread: the save waits for the running
  /// step, and the next step waits for the save. A training with a scheduler must be saved by the
  /// stepping thread, after the scheduler's step, because a scheduler does not synchronize with
  /// saves.
  ///
  /// An interrupt does not stop the save; the thread's interrupt status is kept.
  ///
  /// @param step the step in the file's name, 0 or more; not less than the latest step in the
  ///   folder. A checkpoint of the same step is replaced and keeps its permissions
  /// @param extras additional strings to save, such as random seeds
  /// @return the written file
  /// @throws IllegalArgumentException if the step is negative, if an extra is not valid Unicode, or
  ///   if names and extras exceed the size of a file's header
  /// @throws IllegalStateException if the folder has a checkpoint of a later step, if the optimizer
  ///   or the arena of a parameter has been closed, or if a schedule has no description (see
  ///   [dev.panoptim.schedule.Scheduler#state])
  /// @throws WrongThreadException if a parameter's data are confined to another thread
  /// @throws UncheckedIOException if the file cannot be written; earlier checkpoints stay intact
  public Path save(Training training, long step, Map<String, String> extras) {
    awaitEarlierSaving();
    return training
        .optimizer()
        .withStateDict(
            state -> {
              turn.acquireUninterruptibly();
              try {
                return write(
                    CheckpointWriter.of(training, state, step, extras, UnaryOperator.identity()));
              } finally {
                turn.release();
              }
            });
  }

  /// Waits for a running save before the optimizer is locked, so that steps can continue during the
  /// wait. The turn is acquired only after the optimizer's lock. The reverse order would deadlock
  /// with a hook that saves, because the hook holds the optimizer's lock already.
  private void awaitEarlierSaving() {
    turn.acquireUninterruptibly();
    turn.release();
  }

  /// Copies the whole state to off-heap memory and returns; the next step may run at once. A daemon
  /// thread writes the copy to the file and frees the copy. If an earlier save to this folder is
  /// still running, this method waits for its end first. There is therefore at most one copy, and
  /// files are written in order.
  ///
  /// Await the future before the process ends; otherwise the running save is lost. A failure of the
  /// save is reported only by the future.
  ///
  /// @param step as in [#save]
  /// @param extras as in [#save]
  /// @return a future of the written file; it fails with the exceptions of [#save]
  /// @throws IllegalArgumentException as [#save]
  /// @throws IllegalStateException if the optimizer or the arena of a parameter has been closed, or
  ///   if a schedule has no description
  /// @throws WrongThreadException as [#save]
  /// @throws OutOfMemoryError if the copy exceeds the system's free memory or the limit
  ///   `panoptim.memory.limit`
  public CompletableFuture<Path> saveInBackground(
      Training training, long step, Map<String, String> extras) {
    awaitEarlierSaving();
    return training.optimizer().withStateDict(state -> startSaving(training, state, step, extras));
  }

  private CompletableFuture<Path> startSaving(
      Training training, StateDict state, long step, Map<String, String> extras) {
    turn.acquireUninterruptibly();
    Arena arena = CheckpointSupport.arenaForCopy();
    try {
      CheckpointWriter copy =
          CheckpointWriter.of(training, state, step, extras, live -> copy(live, arena));
      CompletableFuture<Path> saved = new CompletableFuture<>();
      Thread.ofPlatform()
          .daemon()
          .name("panoptim-checkpoint")
          .start(() -> write(copy, arena, saved));
      return saved;
    } catch (Throwable e) {
      arena.close();
      turn.release();
      throw e;
    }
  }

  private void write(CheckpointWriter copy, Arena arena, CompletableFuture<Path> saved) {
    Path file = null;
    Throwable failure = null;
    try {
      file = write(copy);
    } catch (Throwable e) {
      failure = e;
    }
    arena.close();
    turn.release();
    // The future is completed last, because its completion runs the user's callbacks.
    if (failure == null) {
      saved.complete(file);
    } else {
      saved.completeExceptionally(failure);
    }
  }

  private static MemorySegment copy(MemorySegment live, Arena arena) {
    return arena.allocate(live.byteSize(), Float.BYTES).copyFrom(live);
  }

  /// Lists the checkpoints, oldest first. The list is empty if the folder does not exist.
  ///
  /// @throws UncheckedIOException if the folder cannot be read
  public List<Path> files() {
    try {
      return Files.isDirectory(folder) ? list() : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException("the checkpoints in " + folder + " cannot be listed: " + e, e);
    }
  }

  /// The checkpoint of the latest step. If it is damaged, delete it; the previous one is then the
  /// latest.
  ///
  /// @throws UncheckedIOException if the folder cannot be read
  public Optional<Path> latest() {
    List<Path> all = files();
    return all.isEmpty() ? Optional.empty() : Optional.of(all.getLast());
  }

  private List<Path> list() throws IOException {
    return matching(NAME).stream()
        .filter(each -> step(each) >= 0 && Files.isRegularFile(each))
        .sorted(Comparator.comparingLong(CheckpointFolder::step))
        .toList();
  }

  private List<Path> matching(Pattern name) throws IOException {
    List<Path> all = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path each : files) {
        if (name.matcher(each.getFileName().toString()).matches()) {
          all.add(each);
        }
      }
    }
    return all;
  }

  /// The step in a file's name, or -1 if no save writes that name.
  private static long step(Path file) {
    String name = file.getFileName().toString();
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      return -1;
    }
    try {
      long step = Long.parseLong(matcher.group(1));
      return name(step).equals(name) ? step : -1;
    } catch (NumberFormatException e) {
      // The name has 19 digits, but the number exceeds a long.
      return -1;
    }
  }

  private static String name(long step) {
    return String.format(Locale.ROOT, "step-%012d.safetensors", step);
  }

  private Path write(CheckpointWriter contents) {
    try {
      // A server that shuts down interrupts its threads, and this may be their last checkpoint.
      return UninterruptedIo.run(() -> writeLocked(contents));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "the checkpoint of step %s cannot be saved in %s: %s"
              .formatted(contents.document().step(), folder, e),
          e);
    }
  }

  private Path writeLocked(CheckpointWriter contents) throws IOException {
    create(folder);
    return CheckpointSupport.whileLocked(folder.resolve(".lock"), () -> writeAlone(contents));
  }

  /// Creates the folder and its missing parents. Each parent is forced to the disk, so that the new
  /// names survive a loss of power.
  static void create(Path folder) throws IOException {
    if (Files.exists(folder)) {
      // The existence is tested first, because another thread may create the folder meanwhile.
      if (!Files.isDirectory(folder)) {
        throw new NotDirectoryException(folder.toString());
      }
      return;
    }
    Path existing = folder.toAbsolutePath().getParent();
    while (!Files.exists(existing)) {
      existing = existing.getParent();
    }
    Files.createDirectories(folder);
    for (Path above = folder.toAbsolutePath().getParent();
        above.startsWith(existing);
        above = above.getParent()) {
      force(above);
      if (above.equals(existing)) {
        return;
      }
    }
  }

  private Path writeAlone(CheckpointWriter contents) throws IOException {
    long step = contents.document().step();
    List<Path> before = list();
    if (!before.isEmpty() && step(before.getLast()) > step) {
      throw new IllegalStateException(
          "%s is of a later step than %s: continue from it, or use another folder"
              .formatted(before.getLast(), step));
    }
    for (Path left : matching(TEMPORARY)) {
      if (Files.isRegularFile(left, LinkOption.NOFOLLOW_LINKS)) {
        Files.delete(left);
      }
    }
    Path file = folder.resolve(name(step));
    Path temporary = temporary(step);
    CheckpointSupport.save(
        file,
        step,
        () -> {
          RegularFiles.replace(file, temporary, channel -> contents.write(channel, progress));
          force(folder);
          return file;
        });
    prune();
    return file;
  }

  /// A free name for the temporary file; existing directories and links are left alone.
  private Path temporary(long step) {
    Path usual = folder.resolve(".step-" + step + ".tmp");
    return Files.exists(usual, LinkOption.NOFOLLOW_LINKS)
        ? folder.resolve(".step-" + (System.nanoTime() & Long.MAX_VALUE) + ".tmp")
        : usual;
  }

  private void prune() throws IOException {
    List<Path> all = list();
    for (Path old : all.subList(0, Math.max(0, all.size() - keep))) {
      try {
        Files.deleteIfExists(old);
      } catch (IOException e) {
        // Another process may be reading the file; the next save deletes it.
        continue;
      }
    }
  }

  /// Forces the names in a folder to the disk, so that they survive a loss of power.
  static void force(Path folder) throws IOException {
    // Windows cannot open folders and does not need to.
    if (!WINDOWS) {
      try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }

  @Override
  public String toString() {
    return "CheckpointFolder[" + folder + ", keeps " + keep + "]";
  }
}
