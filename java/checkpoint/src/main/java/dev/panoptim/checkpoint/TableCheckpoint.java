package dev.panoptim.checkpoint;

import dev.panoptim.internal.checkpoint.CheckpointSupport;
import dev.panoptim.internal.checkpoint.TableState;
import dev.panoptim.rows.IdTable;
import dev.panoptim.rows.RowTable;
import dev.panoptim.safetensors.SafetensorsException;
import dev.panoptim.safetensors.SafetensorsFile;
import dev.panoptim.safetensors.internal.RegularFiles;
import dev.panoptim.safetensors.internal.UninterruptedIo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/// A folder with the checkpoint of one table: a file with all rows, and files with the rows that
/// have changed since the file before, so that a save takes time in proportion to the changes.
///
/// ```java
/// try (var table = IdTable.builder(32).optimizer(RowOptimizer.adagrad(0.05)).build();
///     var checkpoint = TableCheckpoint.open(Path.of("embeddings"), table)) {
///   checkpoint.load();               // false in an empty folder
///   while (...) {
///     table.step(ids, gradients);
///     if (table.steps() % 1000 == 0) {
///       checkpoint.save();
///     }
///   }
/// }
/// ```
///
/// A table that was loaded continues with the bits of one that was never interrupted. Rows, states,
/// the number of steps, learning rates, and the counts of ids that have not been admitted are
/// restored. Backend and number of threads may differ; all else that describes the table may not.
///
/// A save is atomic: it writes a temporary file, forces it to the disk, renames it and forces the
/// folder to the disk. A process that is killed, or a loss of power, leaves the files that were
/// there. A save writes all rows, and deletes the files before, if this is the first save of this
/// object and nothing was loaded, after [#MOST_CHANGES] files with changes, or when these together
/// are larger than the file with all rows.
///
/// While this object is open, the table notes which rows steps change: a bit for each row, and 8
/// bytes for each id that is removed. Rows that a program writes itself through [RowTable#data] are
/// not noticed: [#saveAll] writes them.
///
/// Not thread-safe: for the thread that steps the table. Readers of an [IdTable] are not disturbed
/// by a save; they should not read during a load. A folder is for one writer: one that finds a file
/// of another one is refused.
public final class TableCheckpoint implements AutoCloseable {
  /// The number of files with changes after which a save writes all rows.
  public static final int MOST_CHANGES = 100;

  private static final int MOST_TRIES = 10;

  /// The size of the counts is a multiple of it.
  private static final int SIGHTINGS_UNIT = 256;

  private final Path folder;
  private final TableState state;
  private final int mostChanges;

  /// The files that a load would read; empty if this object has neither loaded nor saved.
  private final List<TableFile> chain = new ArrayList<>();

  /// Of the last file of the chain.
  private String checksum;

  private long fullBytes;
  private long changesBytes;
  private boolean closed;

  private TableCheckpoint(Path folder, TableState state, int mostChanges) {
    CheckpointFolder.requireDefault(folder);
    this.folder = folder;
    this.state = state;
    this.mostChanges = mostChanges;
    alone(
        () -> {
          state.track();
          return null;
        });
  }

  /// Opens a folder for a table, and lets the table note its changes.
  ///
  /// @param folder the first save creates it if it does not exist
  /// @throws IllegalArgumentException if the folder is not in the default file system
  /// @throws IllegalStateException if the table has an open checkpoint, has been closed, or is used
  ///   by another thread
  public static TableCheckpoint open(Path folder, RowTable table) {
    return open(folder, table, MOST_CHANGES);
  }

  /// Opens a folder for a table, and lets the table note its changes.
  ///
  /// @param folder the first save creates it if it does not exist
  /// @throws IllegalArgumentException if the folder is not in the default file system
  /// @throws IllegalStateException if the table has an open checkpoint, has been closed, or is used
  ///   by another thread
  public static TableCheckpoint open(Path folder, IdTable table) {
    return open(folder, table, MOST_CHANGES);
  }

  static TableCheckpoint open(Path folder, Object table, int mostChanges) {
    Objects.requireNonNull(table, "table is null");
    return new TableCheckpoint(folder, TableState.of(table), mostChanges);
  }

  /// A file that was written.
  ///
  /// Immutable.
  ///
  /// @param file its path
  /// @param full whether it has all rows
  /// @param rows the number of rows in it
  /// @param bytes its size
  public record Saved(Path file, boolean full, long rows, long bytes) {}

  /// Work that may fail because of files.
  ///
  /// @param <T> the type of the result
  private interface Work<T> {
    T run() throws IOException;
  }

  private <T> T alone(Work<T> work) {
    state.enter();
    try {
      if (closed) {
        throw new IllegalStateException("the checkpoint in " + folder + " has been closed");
      }
      return UninterruptedIo.run(work::run);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "the table in " + folder + " cannot be saved or loaded: " + e, e);
    } finally {
      state.leave();
    }
  }

  /// Saves the rows that have changed since the last save or load, or all rows.
  ///
  /// The table makes no step meanwhile. Of a million rows of 64 floats and as much state, 512 MB,
  /// all rows took 0.7 to 3 seconds on two busy cores, and 100,000 changed rows 0.1 seconds: the
  /// disk takes most of it. An interrupt does not stop the save; the thread's interrupt status is
  /// kept.
  ///
  /// @throws IllegalStateException if the folder has a file that this object has neither written
  ///   nor loaded, unless this is its first save, and the file is of the same kind of table and of
  ///   no later step; or if another thread uses the table, or the table or this object has been
  ///   closed. Nothing has been written
  /// @throws CheckpointException if the header of the last file is damaged; nothing has been
  ///   written
  /// @throws UncheckedIOException if the file cannot be written; the files before stay intact, and
  ///   the next save includes what this one would have saved
  public Saved save() {
    return save(false);
  }

  /// Saves all rows, and deletes the files before.
  ///
  /// @throws IllegalStateException as [#save]
  /// @throws CheckpointException as [#save]
  /// @throws UncheckedIOException as [#save]
  public Saved saveAll() {
    return save(true);
  }

  private Saved save(boolean all) {
    return alone(
        () -> {
          CheckpointFolder.create(folder);
          return CheckpointSupport.whileLocked(folder.resolve(".lock"), () -> saveLocked(all));
        });
  }

  private Saved saveLocked(boolean all) throws IOException {
    List<TableFile> present = TableFile.list(folder);
    long last = present.isEmpty() ? 0 : present.getLast().number();
    if (chain.isEmpty()) {
      requireOlder(present);
    } else {
      requireOwn(present);
      last = Math.max(last, chain.getLast().number());
    }
    boolean full =
        all
            || chain.isEmpty()
            || !present.containsAll(chain)
            || chain.size() > mostChanges
            || changesBytes > fullBytes;
    if (last >= TableFile.MOST) {
      throw new IllegalStateException(present.getLast() + " has the largest number of a file");
    }
    TableFile.deleteTemporaries(folder);
    TableFile file = TableFile.of(folder, full, last + 1);
    Saved saved;
    try {
      saved = write(file);
    } catch (Throwable e) {
      if (!Files.notExists(file.path())) {
        // It may be the last file or not, so the next one has to have all rows.
        chain.clear();
      }
      throw e;
    }
    if (full) {
      chain.clear();
      fullBytes = saved.bytes();
      changesBytes = 0;
      delete(present);
    } else {
      changesBytes += saved.bytes();
    }
    chain.add(file);
    return saved;
  }

  private void requireOlder(List<TableFile> present) {
    if (present.isEmpty()) {
      return;
    }
    TableFile last = present.getLast();
    TableDocument document = OpenTableFile.document(last);
    if (!document.table().equals(state.description())) {
      throw new IllegalStateException(
          "%s is of another table: use another folder".formatted(last.path()));
    }
    if (document.steps() > state.steps()) {
      throw new IllegalStateException(
          "%s has %s steps, but the table %s: load it, or use another folder"
              .formatted(last.path(), document.steps(), state.steps()));
    }
  }

  private void requireOwn(List<TableFile> present) {
    TableFile own = chain.getLast();
    for (TableFile each : present) {
      if (each.number() > own.number() || each.equals(own) && !checksum.equals(checksumOf(each))) {
        throw new IllegalStateException(
            "%s was written by somebody else: each folder is for one table".formatted(each.path()));
      }
    }
  }

  private static String checksumOf(TableFile file) {
    try (Arena arena = Arena.ofConfined()) {
      return ChecksummedFile.checksum(SafetensorsFile.map(file.path(), arena));
    } catch (SafetensorsException | IllegalArgumentException e) {
      throw OpenTableFile.damaged(file, e);
    }
  }

  private Saved write(TableFile file) throws IOException {
    TableState.Rows rows = file.full() ? state.all() : state.changed();
    String document = document(file).toJson();
    String[] written = new String[1];
    CheckpointSupport.save(
        file.path(),
        state.steps(),
        () -> {
          RegularFiles.replace(
              file.path(),
              file.temporary(),
              channel ->
                  written[0] =
                      writer(file.full(), rows).write(channel, TableDocument.KEY, document));
          CheckpointFolder.force(folder);
          return null;
        });
    Saved saved = new Saved(file.path(), file.full(), rows.count(), Files.size(file.path()));
    checksum = written[0];
    state.written(file.full());
    return saved;
  }

  private TableDocument document(TableFile file) {
    return new TableDocument(
        CheckpointWriter.VERSION,
        file.number(),
        file.full() ? 0 : chain.getLast().number(),
        file.full() ? "" : checksum,
        state.steps(),
        state.learningRate(),
        state.learningRates(),
        state.additions(),
        state.description());
  }

  private TableWriter writer(boolean full, TableState.Rows rows) {
    TableWriter writer = new TableWriter();
    if (state.hasIds() || !full) {
      writer.ids(OpenTableFile.IDS, rows.count(), rows.ids());
    }
    if (state.hasIds() && !full) {
      writer.ids(OpenTableFile.REMOVED, rows.removedCount(), rows.removed());
    }
    state.fields().forEach(each -> writer.values(each, rows));
    MemorySegment sightings = state.sightings();
    if (sightings != null) {
      writer.bytes(OpenTableFile.SIGHTINGS, sightings, SIGHTINGS_UNIT);
    }
    return writer;
  }

  /// Deletes files, the oldest first: what is left has no file with all rows, or is whole.
  private static void delete(List<TableFile> files) {
    for (TableFile each : files) {
      try {
        Files.deleteIfExists(each.path());
      } catch (IOException e) {
        // The next save of all rows tries again; loads ignore the file.
        return;
      }
    }
  }

  /// Loads what was saved last into the table, which must have been built with the same description
  /// and have made no step.
  ///
  /// If a file is damaged or missing, nothing is loaded. Delete the file that the message names,
  /// and those after it; the state that was saved before is then loaded.
  ///
  /// @return whether there was something to load
  /// @throws IllegalArgumentException if the table does not fit; the message lists all differences.
  ///   Nothing has changed
  /// @throws CheckpointException if a file is damaged or missing. Nothing has changed
  /// @throws IllegalStateException if the table has made steps, another thread uses it, or it or
  ///   this object has been closed; or if another process cut a file off during the load, and the
  ///   table has therefore been closed
  /// @throws OutOfMemoryError if the rows would exceed the limit of memory, or the system has too
  ///   little; the table is empty
  /// @throws UncheckedIOException if the files cannot be read. Nothing has changed
  public boolean load() {
    return alone(
        () -> {
          List<TableFile> present = listTwice();
          for (int tries = 1; ; tries++) {
            try {
              return load(present);
            } catch (CheckpointException | IOException | UncheckedIOException e) {
              // The writer may have replaced the files meanwhile.
              List<TableFile> now = listTwice();
              if (now.equals(present) || tries == MOST_TRIES) {
                throw e;
              }
              present = now;
            }
          }
        });
  }

  /// Lists files that another process may be replacing. A list is not of one moment: it may have
  /// neither the old file with all rows, which was deleted, nor the new one, which had not been
  /// there when the listing began. The next list then differs.
  private List<TableFile> listTwice() throws IOException {
    List<TableFile> before = TableFile.list(folder);
    for (int tries = 1; ; tries++) {
      List<TableFile> now = TableFile.list(folder);
      if (now.equals(before) || tries == MOST_TRIES) {
        return now;
      }
      before = now;
    }
  }

  private boolean load(List<TableFile> present) throws IOException {
    if (present.isEmpty()) {
      return false;
    }
    List<TableFile> files = chain(present);
    try (Arena arena = Arena.ofConfined()) {
      List<OpenTableFile> opened = new ArrayList<>();
      List<TableState.Part> parts = new ArrayList<>();
      for (TableFile each : files) {
        OpenTableFile file = OpenTableFile.open(each, arena);
        requireFits(file);
        if (!opened.isEmpty()) {
          requireFollows(opened.getLast(), file);
        }
        opened.add(file);
        parts.add(file.part(state));
      }
      OpenTableFile last = opened.getLast();
      long first = Files.size(files.getFirst().path());
      long others = -first;
      for (TableFile each : files) {
        others += Files.size(each.path());
      }
      try {
        state.load(
            new TableState.Contents(
                last.document().steps(),
                last.document().learningRate(),
                last.document().learningRates(),
                last.sightings(),
                last.document().additions(),
                parts));
      } catch (IllegalArgumentException e) {
        throw new CheckpointException(
            "%s has no intact checkpoint of a table: %s".formatted(folder, e.getMessage()), e);
      }
      chain.clear();
      chain.addAll(files);
      checksum = last.checksum();
      fullBytes = first;
      changesBytes = others;
    }
    return true;
  }

  /// The last file with all rows, and those after it.
  private List<TableFile> chain(List<TableFile> present) {
    int first = present.size() - 1;
    while (first >= 0 && !present.get(first).full()) {
      first--;
    }
    if (first < 0) {
      throw new CheckpointException(
          "%s has changes of a table, but no file with all rows".formatted(folder));
    }
    List<TableFile> files = new ArrayList<>();
    long number = present.get(first).number();
    for (TableFile each : present.subList(first, present.size())) {
      if (each.number() != number) {
        throw new CheckpointException(
            "%s follows %s, which is missing"
                .formatted(each.path(), TableFile.of(folder, false, number).path()));
      }
      files.add(each);
      number++;
    }
    return files;
  }

  private void requireFits(OpenTableFile file) {
    Map<String, String> found = file.document().table();
    Map<String, String> wanted = state.description();
    List<String> differences = new ArrayList<>();
    HashSet<String> names = new HashSet<>(found.keySet());
    names.addAll(wanted.keySet());
    for (String each : names.stream().sorted().toList()) {
      if (!Objects.equals(found.get(each), wanted.get(each))) {
        differences.add(
            "%s is %s in the file, but %s in the table"
                .formatted(each, found.get(each), wanted.get(each)));
      }
    }
    if (!differences.isEmpty()) {
      throw new IllegalArgumentException(
          "%s does not fit the table: %s"
              .formatted(file.file().path(), String.join("; ", differences)));
    }
  }

  private static void requireFollows(OpenTableFile before, OpenTableFile file) {
    TableDocument document = file.document();
    if (document.follows() != before.document().number()
        || !document.followsChecksum().equals(before.checksum())) {
      throw new CheckpointException(
          "%s follows the file with number %s and checksum %s, but %s has checksum %s"
              .formatted(
                  file.file().path(),
                  document.follows(),
                  document.followsChecksum(),
                  before.file().path(),
                  before.checksum()));
    }
    if (document.steps() < before.document().steps()) {
      throw new CheckpointException(
          "%s has %s steps, fewer than the file before"
              .formatted(file.file().path(), document.steps()));
    }
  }

  /// Writes the whole table without states to one file for other programs, and replaces an existing
  /// one: a tensor `weight` with a row for each row and, of an [IdTable], a tensor `ids`. This is
  /// no checkpoint, and may be called at any time.
  ///
  /// @throws IllegalStateException if another thread uses the table, or it or this object has been
  ///   closed
  /// @throws UncheckedIOException if the file cannot be written
  public void export(Path file) {
    alone(
        () -> {
          Path target = file.toAbsolutePath();
          TableState.Rows rows = state.all();
          RegularFiles.replace(
              target,
              target.resolveSibling("." + target.getFileName() + "-" + UUID.randomUUID() + ".tmp"),
              channel -> {
                TableWriter writer = new TableWriter();
                if (state.hasIds()) {
                  writer.ids(OpenTableFile.IDS, rows.count(), rows.ids());
                }
                writer.values(state.fields().getFirst(), rows);
                writer.write(channel, null, "");
              });
          CheckpointFolder.force(target.getParent());
          return null;
        });
  }

  /// Ends the notes of changes. The table stays open. Closing twice has no effect.
  ///
  /// @throws IllegalStateException if another thread uses the table
  @Override
  public void close() {
    state.enter();
    try {
      if (!closed) {
        closed = true;
        state.untrack();
      }
    } finally {
      state.leave();
    }
  }
}
