package dev.panoptim.checkpoint;

import dev.panoptim.internal.checkpoint.TableState;
import dev.panoptim.safetensors.DType;
import dev.panoptim.safetensors.SafetensorsException;
import dev.panoptim.safetensors.SafetensorsFile;
import dev.panoptim.safetensors.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A mapped file of a table whose checksums have been verified.
record OpenTableFile(
    TableFile file, TableDocument document, String checksum, SafetensorsFile tensors) {
  static final String IDS = "ids";
  static final String REMOVED = "removed";
  static final String SIGHTINGS = "sightings";

  /// @throws CheckpointException if the file is no file of a table, or is damaged
  /// @throws java.io.UncheckedIOException if it cannot be opened or mapped
  static OpenTableFile open(TableFile file, Arena arena) {
    try {
      SafetensorsFile tensors = SafetensorsFile.map(file.path(), arena);
      TableDocument document =
          TableDocument.parse(ChecksummedFile.verify(tensors, TableDocument.KEY));
      if (document.number() != file.number() || document.isFull() != file.full()) {
        throw new IllegalArgumentException(
            "it was written as the file with number %s that has %s rows"
                .formatted(document.number(), document.isFull() ? "all" : "the changed"));
      }
      return new OpenTableFile(file, document, ChecksummedFile.checksum(tensors), tensors);
    } catch (SafetensorsException | IllegalArgumentException e) {
      throw damaged(file, e);
    }
  }

  /// Reads the document of a file, and verifies nothing but the metadata.
  ///
  /// @throws CheckpointException if the file is no file of a table, or they are damaged
  /// @throws java.io.UncheckedIOException if it cannot be opened or mapped
  static TableDocument document(TableFile file) {
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile tensors = SafetensorsFile.map(file.path(), arena);
      return TableDocument.parse(ChecksummedFile.document(tensors, TableDocument.KEY));
    } catch (SafetensorsException | IllegalArgumentException e) {
      throw damaged(file, e);
    }
  }

  static CheckpointException damaged(TableFile file, RuntimeException cause) {
    return ChecksummedFile.notIntact(file.path(), "checkpoint of a table", cause);
  }

  /// The rows of the file.
  ///
  /// @throws CheckpointException if the file has other tensors than one of such a table
  TableState.Part part(TableState state) {
    try {
      Set<String> known = new HashSet<>();
      boolean hasIds = state.hasIds() || !file.full();
      List<TableState.Field> fields = state.fields();
      long count = rows(hasIds ? IDS : fields.getFirst().name());
      MemorySegment ids = hasIds ? data(IDS, DType.I64, List.of(count), known) : null;
      MemorySegment removed =
          state.hasIds() && !file.full()
              ? data(REMOVED, DType.I64, List.of(rows(REMOVED)), known)
              : MemorySegment.NULL;
      Map<TableState.Field, MemorySegment> values = new LinkedHashMap<>();
      for (TableState.Field each : fields) {
        DType type = each.isLong() ? DType.I64 : DType.F32;
        values.put(each, data(each.name(), type, TableWriter.shape(each, count), known));
      }
      if (state.sightings() != null) {
        data(SIGHTINGS, DType.U8, List.of(state.sightings().byteSize()), known);
      }
      if (!known.equals(tensors.tensors().keySet())) {
        throw new IllegalArgumentException(
            "its tensors are %s, but must be %s".formatted(tensors.tensors().keySet(), known));
      }
      return new TableState.Part(file.path().toString(), count, ids, removed, values);
    } catch (IllegalArgumentException e) {
      throw damaged(file, e);
    }
  }

  /// The counts of ids without a row, or `null`.
  MemorySegment sightings() {
    Tensor found = tensors.tensors().get(SIGHTINGS);
    return found == null ? null : found.data();
  }

  private long rows(String name) {
    List<Long> shape = tensor(name).shape();
    if (shape.isEmpty()) {
      throw new IllegalArgumentException("tensor '%s' has no rows".formatted(name));
    }
    return shape.getFirst();
  }

  private Tensor tensor(String name) {
    Tensor found = tensors.tensors().get(name);
    if (found == null) {
      throw new IllegalArgumentException("it has no tensor '%s'".formatted(name));
    }
    return found;
  }

  private MemorySegment data(String name, DType type, List<Long> shape, Set<String> known) {
    Tensor found = tensor(name);
    if (found.dtype() != type || !found.shape().equals(shape)) {
      throw new IllegalArgumentException(
          "tensor '%s' is %s %s, but must be %s %s"
              .formatted(name, found.dtype(), found.shape(), type, shape));
    }
    known.add(name);
    return found.data();
  }
}
