package dev.panoptim.safetensors;

import dev.panoptim.safetensors.internal.RegularFiles;
import dev.panoptim.safetensors.internal.UninterruptedIo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;

/// The tensors of a safetensors file.
///
/// The whole header is checked before any tensor is returned. This class accepts what the reference
/// implementation (<https://github.com/huggingface/safetensors>) accepts, except for unknown
/// fields, duplicate keys, and numbers of 2<sup>63</sup> and above. The tensors' bytes are neither
/// read nor copied. Reading takes memory for a small multiple of the header, independent of the
/// file's size.
///
/// Immutable. Thread-safe if the memory is.
public final class SafetensorsFile {
  private final Map<String, Tensor> tensors;
  private final Map<String, String> metadata;

  private SafetensorsFile(Header header, MemorySegment file) {
    MemorySegment data = file.asReadOnly();
    Map<String, Tensor> byName = LinkedHashMap.newLinkedHashMap(header.entries().size());
    for (Header.Entry each : header.entries()) {
      MemorySegment bytes =
          data.asSlice(header.dataStart() + each.begin(), each.end() - each.begin());
      byName.put(each.name(), new Tensor(each.name(), each.dtype(), each.shape(), bytes));
    }
    tensors = Collections.unmodifiableMap(byName);
    metadata = header.metadata();
  }

  /// Maps a file of any size into memory. If the file is rejected, nothing stays mapped.
  ///
  /// The file must not change while it is mapped. Changes by another program are visible in the
  /// tensors. If another program truncates the file, an access throws an [InternalError], or
  /// crashes the process if native code makes the access. [SafetensorsWriter] replaces a file
  /// without changing the mapped one.
  ///
  /// An interrupt does not stop the mapping; the thread's interrupt status is kept.
  ///
  /// @param path a regular file of the default file system
  /// @param arena the arena that determines the lifetime of the tensors
  /// @throws SafetensorsException if the file is malformed
  /// @throws UncheckedIOException if the file cannot be opened or mapped, is a directory, or is in
  ///   another file system
  /// @throws IllegalStateException if the arena has been closed
  /// @throws WrongThreadException if the arena is confined to another thread
  public static SafetensorsFile map(Path path, Arena arena) {
    Objects.requireNonNull(path, "path is null, but must be the path of a file");
    Objects.requireNonNull(arena, "arena is null, but must be an arena");
    try {
      return UninterruptedIo.run(() -> mapAttempt(path, arena));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot map " + path + ": " + why(e), e);
    } catch (SafetensorsException e) {
      throw new SafetensorsException(e.problem(), path + ": " + e.getMessage(), e);
    }
  }

  private static String why(IOException e) {
    if (e instanceof NoSuchFileException) {
      return "there is no such file";
    }
    boolean inWords = e instanceof FileSystemException known && known.getReason() != null;
    return inWords ? "it " + ((FileSystemException) e).getReason() : e.toString();
  }

  private static SafetensorsFile mapAttempt(Path path, Arena arena) throws IOException {
    RegularFiles.requireMappable(path);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      long length = channel.size();
      Header header;
      try (Arena parsing = Arena.ofConfined()) {
        long start = Math.min(length, Header.LENGTH.byteSize() + Header.MAX_LENGTH);
        header = Header.read(channel.map(FileChannel.MapMode.READ_ONLY, 0, start, parsing), length);
      }
      return new SafetensorsFile(
          header, channel.map(FileChannel.MapMode.READ_ONLY, 0, length, arena));
    }
  }

  /// Reads a file that is already in memory.
  ///
  /// @param bytes the whole file, on the heap or off-heap; it must not change while the tensors are
  ///   in use
  /// @throws SafetensorsException if the file is malformed
  /// @throws IllegalArgumentException if `bytes` begins in the first 4096 bytes of memory, which
  ///   are never mapped, or extends beyond the address space
  /// @throws IllegalStateException if the arena of `bytes` has been closed
  /// @throws WrongThreadException if the arena of `bytes` is confined to another thread
  public static SafetensorsFile of(MemorySegment bytes) {
    Objects.requireNonNull(bytes, "bytes is null, but must be a memory segment");
    Tensor.requireAddress("bytes", bytes);
    return new SafetensorsFile(Header.read(bytes, bytes.byteSize()), bytes);
  }

  /// All tensors by name, in the order of their bytes in the file. Tensors without bytes at the
  /// same place are in the order of the header. The data are read-only slices of the file.
  /// [SafetensorsWriter] aligns them to the size of their elements; in other files, use unaligned
  /// layouts. The map is unmodifiable.
  public Map<String, Tensor> tensors() {
    return tensors;
  }

  /// Finds a tensor by its name.
  ///
  /// @throws NoSuchElementException if the file has no tensor of that name; the message lists the
  ///   names
  public Tensor tensor(String name) {
    Objects.requireNonNull(name, "name is null, but must be a string");
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      List<String> there = new ArrayList<>();
      tensors.keySet().forEach(each -> there.add(Text.quote(each)));
      throw new NoSuchElementException(
          "the file has no tensor %s, only %s".formatted(Text.quote(name), Text.list(there)));
    }
    return tensor;
  }

  /// The metadata in the order of the header; empty if the file has none. The map is unmodifiable.
  public Map<String, String> metadata() {
    return metadata;
  }
}
