package dev.panoptim.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
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
/// Thread-safe; savings into folders come one after the other, also those of several processes into
/// one folder.
public final class CheckpointFolder {
  private static final Pattern NAME = Pattern.compile("step-(\\d{12,18})\\.safetensors");
  private static final Pattern TEMPORARY = Pattern.compile("\\.step-\\d+\\.tmp");
  private static final boolean WINDOWS =
      System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");

  private final Path folder;
  private final int keep;
  private final Progress progress;

  private CheckpointFolder(Path folder, int keep, Progress progress) {
    this.folder = folder;
    this.keep = keep;
    this.progress = progress;
  }

  /// @param folder need not exist: the first saving creates it
  /// @param keep how many checkpoints stay, 1 or more: after each saving, older ones are deleted
  /// @throws IllegalArgumentException if `keep` is not 1 or more
  public static CheckpointFolder of(Path folder, int keep) {
    Objects.requireNonNull(folder, "folder is null");
    if (keep < 1) {
      throw new IllegalArgumentException("keep is " + keep + ", but must be 1 or more");
    }
    return new CheckpointFolder(folder, keep, Progress.NONE);
  }

  /// The same folder, whose savings tell how far they are.
  public CheckpointFolder withProgress(Progress value) {
    return new CheckpointFolder(folder, keep, Objects.requireNonNull(value, "progress is null"));
  }

  /// Writes a checkpoint straight from the memory of optimizer and parameters, which no step may
  /// change meanwhile.
  ///
  /// @param step names the file; not before the latest one here. A checkpoint of the same step is
  ///   replaced
  /// @param extras whatever else is to come back, such as random seeds
  /// @return the file
  /// @throws IllegalArgumentException if the step is negative
  /// @throws IllegalStateException if the folder has a checkpoint of a later step, or the optimizer
  ///   has been closed, or another thread is using it
  /// @throws UncheckedIOException if it cannot be written; the checkpoints that were there are
  ///   whole
  public Path save(Training training, long step, Map<String, String> extras) {
    return training
        .optimizer()
        .withStateDict(
            state ->
                write(
                    CheckpointWriter.of(training, state, step, extras, UnaryOperator.identity())));
  }

  /// Copies everything, off-heap, and returns: steps may go on at once. A daemon thread writes the
  /// copy, and frees it.
  ///
  /// @param step as in [#save]
  /// @param extras as in [#save]
  /// @return the file once it is there, or what [#save] throws
  /// @throws IllegalArgumentException if the step is negative
  /// @throws IllegalStateException if the optimizer has been closed, or another thread is using it
  /// @throws OutOfMemoryError if the system has not so much memory
  public CompletableFuture<Path> saveInBackground(
      Training training, long step, Map<String, String> extras) {
    Arena arena = Arena.ofShared();
    try {
      CheckpointWriter copy =
          training
              .optimizer()
              .withStateDict(
                  state ->
                      CheckpointWriter.of(
                          training, state, step, extras, live -> copy(live, arena)));
      CompletableFuture<Path> saved = new CompletableFuture<>();
      Thread.ofPlatform()
          .daemon()
          .name("panoptim-checkpoint")
          .start(
              () -> {
                try (arena) {
                  saved.complete(write(copy));
                } catch (Throwable e) {
                  saved.completeExceptionally(e);
                }
              });
      return saved;
    } catch (Throwable e) {
      arena.close();
      throw e;
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

  /// The checkpoint of the latest step.
  ///
  /// @throws UncheckedIOException if the folder cannot be read
  public Optional<Path> latest() {
    List<Path> all = files();
    return all.isEmpty() ? Optional.empty() : Optional.of(all.getLast());
  }

  private List<Path> list() throws IOException {
    return matching(NAME).stream()
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

  private static long step(Path file) {
    Matcher name = NAME.matcher(file.getFileName().toString());
    return name.matches() ? Long.parseLong(name.group(1)) : -1;
  }

  private Path write(CheckpointWriter contents) {
    // A file's lock is the whole process's: two threads cannot hold it, but would fail.
    synchronized (CheckpointFolder.class) {
      try {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
          throw new NotDirectoryException(folder.toString());
        }
        Files.createDirectories(folder);
        try (FileChannel lock =
                FileChannel.open(
                    folder.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock held = lock.lock()) {
          return writeAlone(contents);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(
            "the checkpoint of step %d cannot be saved in %s: %s"
                .formatted(contents.document().step(), folder, e),
            e);
      }
    }
  }

  private Path writeAlone(CheckpointWriter contents) throws IOException {
    long step = contents.document().step();
    List<Path> before = list();
    if (!before.isEmpty() && step(before.getLast()) > step) {
      throw new IllegalStateException(
          "%s is of a later step than %d: continue from it, or save elsewhere"
              .formatted(before.getLast(), step));
    }
    for (Path left : matching(TEMPORARY)) {
      Files.delete(left);
    }
    Path file = folder.resolve("step-%012d.safetensors".formatted(step));
    Path temporary = folder.resolve(".step-%d.tmp".formatted(step));
    try {
      contents.write(temporary, progress);
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
    force();
    List<Path> all = list();
    for (Path old : all.subList(0, Math.max(0, all.size() - keep))) {
      Files.deleteIfExists(old);
    }
    return file;
  }

  /// Makes names that were given survive the loss of power.
  private void force() throws IOException {
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
