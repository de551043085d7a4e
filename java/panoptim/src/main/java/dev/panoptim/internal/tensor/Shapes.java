package dev.panoptim.internal.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/// Checks the shapes of tensors.
///
/// Thread-safe.
public final class Shapes {
  private Shapes() {}

  /// An immutable copy of a shape.
  ///
  /// @param name of the parameter, for messages
  /// @throws IllegalArgumentException as [#size]
  public static List<Long> of(String name, long... shape) {
    Objects.requireNonNull(shape, "shape is null");
    List<Long> copy = Arrays.stream(shape).boxed().toList();
    size(name, copy);
    return copy;
  }

  /// The number of elements of a shape: the product of its extents, 1 if there are none.
  ///
  /// @param name of the parameter, for messages
  /// @throws IllegalArgumentException if an extent is negative, or the product is larger than
  ///   2^63-1
  public static long size(String name, List<Long> shape) {
    long size = 1;
    boolean fits = true;
    for (long extent : shape) {
      if (extent < 0) {
        throw new IllegalArgumentException(
            "shape of '%s' is %s, but every extent must be 0 or more".formatted(name, shape));
      }
      fits &= Math.multiplyHigh(size, extent) == 0 && size * extent >= 0;
      size *= extent;
    }
    if (shape.contains(0L)) {
      return 0;
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "shape of '%s' is %s, which has more than %s elements"
              .formatted(name, shape, Long.MAX_VALUE));
    }
    return size;
  }

  /// Checks that a shape has a given number of elements.
  ///
  /// @return the shape
  /// @throws IllegalArgumentException if it has another number
  public static List<Long> require(String name, long size, List<Long> shape) {
    if (size(name, shape) != size) {
      throw new IllegalArgumentException(
          "shape of '%s' is %s, but must have %s elements".formatted(name, shape, size));
    }
    return shape;
  }

  /// Whether a tensor of one shape can take the values of a tensor of the other: the shapes are
  /// equal, or one of them is only the number of elements.
  public static boolean fit(List<Long> first, List<Long> second) {
    return first.equals(second) || first.size() == 1 || second.size() == 1;
  }
}
