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
/// The whole header is checked before anything is handed out: it takes what the reference
/// implementation (<https://github.com/huggingface/safetensors>) takes, but refuses fields that the
/// format does not know, keys that are there twice, and numbers from 2<sup>63</sup> on. The
/// tensors' bytes are neither read nor copied. Reading takes memory for a small multiple of the
/// header, however large the file is.
///
/// Immutable and thread-safe, as far as the memory is.
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

  /// Maps a file into memory, of any size. A file that is refused leaves nothing mapped.
  ///
  /// The file must keep its bytes while it is mapped: what another program writes into it shows in
  /// the tensors, and where one has made it shorter, an access throws an [InternalError], or ends
  /// the process if native code makes it. [SafetensorsWriter] leaves the mapped file alone when it
  /// replaces one.
  ///
  /// An interrupted thread maps it all the same, and stays interrupted.
  ///
  /// @param path of a regular file of the default file system
  /// @param arena what the tensors live as long as
  /// @throws SafetensorsException if the file is malformed
  /// @throws UncheckedIOException if it cannot be opened or mapped, is a directory or of another
  ///   file system
  /// @throws IllegalStateException if the arena has been closed
  /// @throws WrongThreadException if the arena belongs to another thread
  public static SafetensorsFile map(Path path, Arena arena) {
    Objects.requireNonNull(path, "path is null, but must be a file's");
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

  /// Reads a file that is in memory already.
  ///
  /// @param bytes of the whole file, on the heap or off it, not to be changed while the tensors are
  ///   in use
  /// @throws SafetensorsException if they are malformed
  /// @throws IllegalArgumentException if `bytes` begins in the first 4096 bytes of memory, where
  ///   nothing is, or is longer than memory from there on
  /// @throws IllegalStateException if the arena of `bytes` has been closed
  /// @throws WrongThreadException if it belongs to another thread
  public static SafetensorsFile of(MemorySegment bytes) {
    Objects.requireNonNull(bytes, "bytes is null, but must be a memory segment");
    Tensor.requireAddress("bytes", bytes);
    return new SafetensorsFile(Header.read(bytes, bytes.byteSize()), bytes);
  }

  /// All tensors by name, in the order of their bytes in the file, those of no bytes at one place
  /// in the order of the header. Their data are read-only slices of the file. In one that
  /// [SafetensorsWriter] wrote they are aligned to their elements' size; in others they need not
  /// be, and take unaligned layouts. The map is unmodifiable.
  public Map<String, Tensor> tensors() {
    return tensors;
  }

  /// A tensor.
  ///
  /// @throws NoSuchElementException if the file has none of that name, with names that it has
  public Tensor tensor(String name) {
    Objects.requireNonNull(name, "name is null, but must be a string");
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      List<String> there = new ArrayList<>();
      tensors.keySet().forEach(each -> there.add(Text.quote(each)));
      throw new NoSuchElementException(
          "there is no tensor %s, but %s".formatted(Text.quote(name), Text.list(there)));
    }
    return tensor;
  }

  /// What the file says about itself, in the order of the header; empty if nothing. The map is
  /// unmodifiable.
  public Map<String, String> metadata() {
    return metadata;
  }
}
