package dev.panoptim.checkpoint;

import dev.panoptim.internal.io.LockedFile;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.observe.Savings;
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

/// A folder with the last checkpoints of one training, `step-000000001000.safetensors` and so on.
///
/// ```java
/// CheckpointFolder folder = CheckpointFolder.of(Path.of("checkpoints"), 3);
/// folder.save(Training.of(optimizer), step, Map.of("seed", "1"));
/// ```
///
/// A file is written under another name, forced to the disk and only then renamed, and the folder
/// is forced to the disk too: whenever the process or the machine dies, the checkpoints that were
/// there are there and whole. What a dead process left half-written is removed by the next saving.
///
/// Only regular files, or links to them, that have the name of a step are checkpoints. Everything
/// else in the folder is left alone. Names are the same in every locale.
///
/// Thread-safe; savings into one folder come one after the other, also those of several processes,
/// and of several class loaders in one process.
public final class CheckpointFolder {
  private static final Pattern NAME = Pattern.compile("step-(\\d{12,19})\\.safetensors");
  private static final Pattern TEMPORARY = Pattern.compile("\\.step-\\d+\\.tmp");
  private static final boolean WINDOWS =
      System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");

  private final Path folder;
  private final int keep;
  private final Progress progress;

  /// Held by a saving from before it copies until its file is there.
  private final Semaphore turn;

  private CheckpointFolder(Path folder, int keep, Progress progress, Semaphore turn) {
    this.turn = turn;
    this.folder = folder;
    this.keep = keep;
    this.progress = progress;
  }

  /// @param folder need not exist: the first saving creates it
  /// @param keep how many checkpoints stay, 1 or more: after each saving, older ones are deleted
  /// @throws IllegalArgumentException if `keep` is not 1 or more, or the folder is in another file
  ///   system than the default one, whose files can be locked and mapped
  public static CheckpointFolder of(Path folder, int keep) {
    Objects.requireNonNull(folder, "folder is null");
    if (folder.getFileSystem() != FileSystems.getDefault()) {
      throw new IllegalArgumentException(
          "folder %s is in a file system of the kind '%s', but must be in the default one"
              .formatted(folder, folder.getFileSystem().provider().getScheme()));
    }
    if (keep < 1) {
      throw new IllegalArgumentException("keep is " + keep + ", but must be 1 or more");
    }
    return new CheckpointFolder(folder, keep, Progress.NONE, new Semaphore(1, true));
  }

  /// The same folder, whose savings tell how far they are.
  public CheckpointFolder withProgress(Progress value) {
    return new CheckpointFolder(
        folder, keep, Objects.requireNonNull(value, "progress is null"), turn);
  }

  /// Writes a checkpoint straight from the memory of optimizer and parameters. Any thread may save:
  /// it waits for the step that is being made, and the next step waits for it. A scheduler takes no
  /// such turns: a training that has one is saved by the thread that steps, after the scheduler's
  /// step and before the next one.
  ///
  /// An interrupted thread saves all the same, and stays interrupted.
  ///
  /// @param step names the file; not before the latest one here. A checkpoint of the same step is
  ///   replaced, and its permissions are kept
  /// @param extras whatever else is to come back, such as random seeds
  /// @return the file
  /// @throws IllegalArgumentException if the step is negative, an extra is no valid Unicode, or
  ///   there are more names and extras than a file's header can hold
  /// @throws IllegalStateException if the folder has a checkpoint of a later step, the optimizer or
  ///   the arena of a parameter has been closed, or a schedule has no description (see
  ///   [dev.panoptim.schedule.Scheduler#state])
  /// @throws WrongThreadException if a parameter's data are confined to another thread
  /// @throws UncheckedIOException if it cannot be written; the checkpoints that were there are
  ///   whole
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

  /// Waits before the optimizer is taken, so that steps go on meanwhile. The turn itself is taken
  /// after the optimizer: a hook that saves has the optimizer already, and a thread that had its
  /// turn and waited for the optimizer would never get it.
  private void awaitEarlierSaving() {
    turn.acquireUninterruptibly();
    turn.release();
  }

  /// Copies everything, off-heap, and returns: steps may go on at once. A daemon thread writes the
  /// copy, and frees it. Should an earlier saving here still be under way, its end is awaited
  /// first: there is one copy at most, and files come in order.
  ///
  /// Whoever ends the process must await the future first: a checkpoint that is being written then
  /// is lost.
  ///
  /// @param step as in [#save]
  /// @param extras as in [#save]
  /// @return the file once it is there, or what [#save] throws; nobody else says that it failed
  /// @throws IllegalArgumentException as [#save]
  /// @throws IllegalStateException if the optimizer or the arena of a parameter has been closed, or
  ///   a schedule has no description
  /// @throws WrongThreadException as [#save]
  /// @throws OutOfMemoryError if the system has not so much memory, or the limit
  ///   `panoptim.memory.limit` does not allow it
  public CompletableFuture<Path> saveInBackground(
      Training training, long step, Map<String, String> extras) {
    awaitEarlierSaving();
    return training.optimizer().withStateDict(state -> startSaving(training, state, step, extras));
  }

  private CompletableFuture<Path> startSaving(
      Training training, StateDict state, long step, Map<String, String> extras) {
    turn.acquireUninterruptibly();
    Arena arena = OwnedArena.of(MemoryKind.COPIES, Origin.here("a copy for a checkpoint"));
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
    // At last, as it runs what others have attached.
    if (failure == null) {
      saved.complete(file);
    } else {
      saved.completeExceptionally(failure);
    }
  }

  private static MemorySegment copy(MemorySegment live, Arena arena) {
    return arena.allocate(live.byteSize(), Float.BYTES).copyFrom(live);
  }

  /// The checkpoints, the oldest first; none if there is no such folder.
  ///
  /// @throws UncheckedIOException if the folder cannot be read
  public List<Path> files() {
    try {
      return Files.isDirectory(folder) ? list() : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException("the checkpoints in " + folder + " cannot be listed: " + e, e);
    }
  }

  /// The checkpoint of the latest step. Should it turn out to be damaged, delete it: then the one
  /// before is the latest.
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

  /// The step that a file is of; -1 if its name is not exactly the one that a saving gives.
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
      // 19 digits of a number that is too large for a long.
      return -1;
    }
  }

  private static String name(long step) {
    return String.format(Locale.ROOT, "step-%012d.safetensors", step);
  }

  private Path write(CheckpointWriter contents) {
    try {
      // An ending server interrupts its threads, and this may be their last checkpoint.
      return UninterruptedIo.run(() -> writeLocked(contents));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "the checkpoint of step %s cannot be saved in %s: %s"
              .formatted(contents.document().step(), folder, e),
          e);
    }
  }

  private Path writeLocked(CheckpointWriter contents) throws IOException {
    createFolder();
    return LockedFile.use(folder.resolve(".lock"), lock -> writeAlone(contents));
  }

  /// With all folders above it, whose names are to survive the loss of power too.
  private void createFolder() throws IOException {
    if (Files.exists(folder)) {
      // Looked at in this order, as another thread may be creating it.
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
          "%s is of a later step than %s: continue from it, or save elsewhere"
              .formatted(before.getLast(), step));
    }
    for (Path left : matching(TEMPORARY)) {
      if (Files.isRegularFile(left, LinkOption.NOFOLLOW_LINKS)) {
        Files.delete(left);
      }
    }
    Path file = folder.resolve(name(step));
    Path temporary = temporary(step);
    Object saving = Savings.begin();
    RegularFiles.replace(file, temporary, channel -> contents.write(channel, progress));
    force(folder);
    Path absolute = file.toAbsolutePath().normalize();
    Savings.saved(
        saving, absolute.getParent().toString(), absolute.toString(), step, Files.size(file));
    prune();
    return file;
  }

  /// A name that is free: what others have put here is left alone.
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
        // Somebody may be reading it: the next saving tries again.
        continue;
      }
    }
  }

  /// Makes names that were given survive the loss of power.
  private static void force(Path folder) throws IOException {
    if (!WINDOWS) { // which cannot open folders, and needs not
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
