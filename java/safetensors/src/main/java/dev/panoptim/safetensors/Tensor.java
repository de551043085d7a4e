package dev.panoptim.safetensors;

import dev.panoptim.safetensors.SafetensorsException.Problem;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/// A named tensor over memory that the caller owns.
///
/// The tensor itself is immutable, but not the bytes of `data`. Thread-safe if the segment may be
/// accessed by several threads.
///
/// @param name the name; unique within a file, and not `__metadata__`
/// @param dtype the type of the elements
/// @param shape the dimensions, slowest first; empty for a scalar; a dimension of 0 means no
///   elements
/// @param data the elements: row-major, little-endian, packed, and not necessarily aligned
public record Tensor(String name, DType dtype, List<Long> shape, MemorySegment data) {
  /// @throws SafetensorsException if a dimension is negative, if dimensions and element size
  ///   multiply to 2<sup>63</sup> bits or more, if the last element ends within a byte, or if the
  ///   size of `data` does not match `dtype` and `shape`
  /// @throws IllegalArgumentException if `data` begins in the first 4096 bytes of memory, which are
  ///   never mapped, or extends beyond the address space
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

  /// Checks that this thread can read the data.
  ///
  /// @throws IllegalStateException if their arena has been closed
  /// @throws WrongThreadException if their arena is confined to another thread
  void requireReadable() {
    if (!data.scope().isAlive()) {
      throw new IllegalStateException(
          "the data of tensor " + Text.quote(name) + " lie in an arena that has been closed");
    }
    if (!data.isAccessibleBy(Thread.currentThread())) {
      throw new WrongThreadException(
          "the data of tensor %s lie in an arena that is confined to another thread"
              .formatted(Text.quote(name)));
    }
  }

  /// The size of the first page of memory. Systems never map it, so that null pointers cause a
  /// fault.
  private static final long FIRST_PAGE = 4096;

  /// Checks that the address range of an off-heap segment can exist. Reading at address 0 would
  /// crash the process.
  ///
  /// @throws IllegalArgumentException if it cannot exist
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
          "%s has %s bytes at address 0x%x, which extends beyond the address space"
              .formatted(name, bytes, address));
    }
  }

  /// Creates a tensor from its dimensions.
  ///
  /// @throws SafetensorsException as the constructor does
  public static Tensor of(String name, DType dtype, MemorySegment data, long... shape) {
    return new Tensor(name, dtype, Arrays.stream(shape).boxed().toList(), data);
  }

  /// The number of elements: the product of the dimensions, 1 for a scalar.
  public long elements() {
    return shape.stream().reduce(1L, (product, dimension) -> product * dimension);
  }

  /// The size of a tensor in bytes.
  ///
  /// @throws SafetensorsException if the size is not a whole number from 0 to 2<sup>60</sup>
  static long bytes(String name, DType dtype, List<Long> shape) {
    long bits;
    try {
      long elements = 1;
      for (long dimension : shape) {
        if (dimension < 0) {
          throw new SafetensorsException(
              Problem.INVALID_NUMBER,
              "tensor %s: shape %s has the dimension %s, but dimensions must be 0 or more"
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
          "tensor %s: %s %s takes %s bits, but must take whole bytes"
              .formatted(Text.quote(name), dtype, Text.list(shape), bits));
    }
    return bits / Byte.SIZE;
  }
}
