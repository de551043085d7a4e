package dev.panoptim.safetensors;

import dev.panoptim.safetensors.SafetensorsException.Problem;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/// The layout of a file to be written: the header, then the tensors' data in their order, without
/// gaps.
///
/// The layout is byte for byte that of the reference implementation
/// (<https://github.com/huggingface/safetensors>). Tensors are sorted by descending ordinal of
/// their type, then by name in the order of code points. The JSON is compact and padded with blanks
/// to a multiple of 8 bytes. Metadata keys are in the order of code points; the reference
/// implementation leaves their order undefined.
///
/// Immutable. Thread-safe if the tensors' memory is.
public final class SafetensorsLayout {
  private static final long MAX_DATA_LENGTH =
      Long.MAX_VALUE - Header.LENGTH.byteSize() - Header.MAX_LENGTH;

  private static final Comparator<Tensor> FILE_ORDER =
      Comparator.comparing(Tensor::dtype)
          .reversed()
          .thenComparing(Tensor::name, Text::compareCodePoints);

  private final MemorySegment header;
  private final List<Tensor> tensors;
  private final long bytes;

  SafetensorsLayout(Collection<Tensor> tensors, Map<String, String> metadata) {
    Objects.requireNonNull(tensors, "tensors is null, but must be a collection");
    Objects.requireNonNull(metadata, "metadata is null, but must be a map");
    this.tensors = sorted(tensors);
    HeaderWriter writer = new HeaderWriter();
    if (!metadata.isEmpty()) {
      writer.metadata(sorted(metadata));
    }
    long end = 0;
    for (Tensor each : this.tensors) {
      long begin = end;
      end = end(each, begin);
      writer.tensor(each, begin, end);
    }
    header = writer.finish();
    bytes = header.byteSize() + end;
  }

  /// The bytes before the tensors: the length (8 bytes), the JSON and its padding. Read-only and on
  /// the heap.
  public MemorySegment header() {
    return header;
  }

  /// The tensors in the order of the file. The list is unmodifiable.
  public List<Tensor> tensors() {
    return tensors;
  }

  /// The length of the whole file in bytes.
  public long bytes() {
    return bytes;
  }

  private static List<Tensor> sorted(Collection<Tensor> tensors) {
    List<Tensor> sorted = tensors.stream().sorted(FILE_ORDER).toList();
    Set<String> names = HashSet.newHashSet(sorted.size());
    for (Tensor each : sorted) {
      Text.requireWellFormed(each.name(), "tensor", each.name());
      if (each.name().equals(Header.METADATA)) {
        throw new SafetensorsException(
            Problem.RESERVED_NAME,
            "a tensor has the name %s, which the format reserves for the metadata"
                .formatted(Text.quote(each.name())));
      }
      if (!names.add(each.name())) {
        throw new SafetensorsException(
            Problem.DUPLICATE_KEY,
            "two tensors have the name %s, but names must be unique"
                .formatted(Text.quote(each.name())));
      }
    }
    return sorted;
  }

  private static Map<String, String> sorted(Map<String, String> metadata) {
    Map<String, String> sorted = new TreeMap<>(Text::compareCodePoints);
    metadata.forEach(
        (key, value) -> {
          Objects.requireNonNull(key, "a key of metadata is null, but must be a string");
          Objects.requireNonNull(
              value, () -> "metadata " + Text.quote(key) + " is null, but must be a string");
          Text.requireWellFormed(key, "metadata", key);
          Text.requireWellFormed(value, "the value of metadata", key);
          sorted.put(key, value);
        });
    return sorted;
  }

  private static long end(Tensor tensor, long begin) {
    long length = tensor.data().byteSize();
    if (length > MAX_DATA_LENGTH - begin) {
      throw new SafetensorsException(
          Problem.SIZE_OVERFLOW,
          "tensor %s: its %s bytes and the %s bytes before it exceed the %s bytes of a file"
              .formatted(Text.quote(tensor.name()), length, begin, MAX_DATA_LENGTH));
    }
    return begin + length;
  }
}
