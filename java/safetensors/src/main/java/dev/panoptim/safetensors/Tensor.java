package dev.panoptim.safetensors;

import dev.panoptim.safetensors.SafetensorsException.Problem;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/// A named tensor over memory that somebody else owns.
///
/// Immutable, as far as the bytes of `data` are; thread-safe, as far as the segment is.
///
/// @param name in a file no other tensor has it, and `__metadata__` is none
/// @param dtype type of the elements
/// @param shape dimensions, the slowest first; empty for a scalar, 0 in it for no elements
/// @param data the elements, row-major, little-endian and packed; need not be aligned
public record Tensor(String name, DType dtype, List<Long> shape, MemorySegment data) {
  /// @throws SafetensorsException if a dimension is negative, if dimensions and element size
  ///   multiply to 2<sup>63</sup> bits or more, if the last element ends within a byte, or if
  ///   `data` has not the bytes that `dtype` and `shape` ask for
  /// @throws IllegalArgumentException if `data` begins in the first 4096 bytes of memory, where
  ///   nothing is, or is longer than memory from there on
  public Tensor {
    Objects.requireNonNull(name, "name is null, but must be a string");
    Objects.requireNonNull(dtype, "dtype is null, but must be a DType");
    Objects.requireNonNull(shape, "shape is null, but must be a list");
    Objects.requireNonNull(data, "data is null, but must be a memory segment");
    shape = List.copyOf(shape);
    long bytes = bytes(name, dtype, shape);
    if (data.byteSize() != bytes) {
      throw new SafetensorsException(
          Problem.SIZE_MISMATCH,
          "tensor %s: %s %s takes %s bytes, but data has %s"
              .formatted(Text.quote(name), dtype, Text.list(shape), bytes, data.byteSize()));
    }
    requireAddress("the data of tensor " + Text.quote(name), data);
  }

  /// Checks that this thread can read the data now.
  ///
  /// @throws IllegalStateException if their arena has been closed
  /// @throws WrongThreadException if it is confined to another thread
  void requireReadable() {
    if (!data.scope().isAlive()) {
      throw new IllegalStateException(
          "the data of tensor " + Text.quote(name) + " lie in an arena that has been closed");
    }
    if (!data.isAccessibleBy(Thread.currentThread())) {
      throw new WrongThreadException(
          "the data of tensor %s lie in an arena that is confined to another thread than this one"
              .formatted(Text.quote(name)));
    }
  }

  /// The first page of memory, where systems put nothing so that addresses of 0 are faults.
  private static final long FIRST_PAGE = 4096;

  /// Checks that memory off-heap can be where a segment says: reading at address 0 would end the
  /// process.
  ///
  /// @throws IllegalArgumentException if it cannot
  static void requireAddress(String name, MemorySegment segment) {
    long bytes = segment.byteSize();
    if (!segment.isNative() || bytes == 0) {
      return;
    }
    long address = segment.address();
    if (address >= 0 && address < FIRST_PAGE) {
      throw new IllegalArgumentException(
          "%s has %s bytes at address 0x%x, but must be from address 0x%x on"
              .formatted(name, bytes, address, FIRST_PAGE));
    }
    long last = address + bytes - 1;
    if (last < address || address < 0 && last >= 0) {
      throw new IllegalArgumentException(
          "%s has %s bytes at address 0x%x, which is more than memory has from there on"
              .formatted(name, bytes, address));
    }
  }

  /// The same from dimensions.
  ///
  /// @throws SafetensorsException as the constructor does
  public static Tensor of(String name, DType dtype, MemorySegment data, long... shape) {
    return new Tensor(name, dtype, Arrays.stream(shape).boxed().toList(), data);
  }

  /// The number of elements: the product of the dimensions, 1 for a scalar.
  public long elements() {
    return shape.stream().reduce(1L, (product, dimension) -> product * dimension);
  }

  /// The bytes that a tensor takes.
  ///
  /// @throws SafetensorsException if that is no whole number from 0 to 2<sup>60</sup>
  static long bytes(String name, DType dtype, List<Long> shape) {
    long bits;
    try {
      long elements = 1;
      for (long dimension : shape) {
        if (dimension < 0) {
          throw new SafetensorsException(
              Problem.INVALID_NUMBER,
              "tensor %s: shape %s has the dimension %s, but must have none below 0"
                  .formatted(Text.quote(name), Text.list(shape), dimension));
        }
        elements = Math.multiplyExact(elements, dimension);
      }
      bits = Math.multiplyExact(elements, dtype.bits());
    } catch (ArithmeticException e) {
      throw new SafetensorsException(
          Problem.SIZE_OVERFLOW,
          "tensor %s: %s %s takes more than 2^63 - 1 bits"
              .formatted(Text.quote(name), dtype, Text.list(shape)),
          e);
    }
    if (bits % Byte.SIZE != 0) {
      throw new SafetensorsException(
          Problem.PARTIAL_BYTE,
          "tensor %s: %s %s takes %s bits, but must end with a byte"
              .formatted(Text.quote(name), dtype, Text.list(shape), bits));
    }
    return bits / Byte.SIZE;
  }
}
