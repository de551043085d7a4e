package dev.panoptim.memory;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/// A tensor that an optimizer updates: a name, float data off-heap, and the gradient of the loss,
/// or none.
///
/// The memory is the caller's: a parameter keeps it reachable, but neither copies nor frees it.
/// [Parameters] makes parameters together with memory that is laid out for speed. Of the shape,
/// optimizers need only the number of elements; data and gradient have the same one.
///
/// Not thread-safe: a gradient must not be set while a step runs.
public final class Parameter {
  private final String name;
  private final long size;
  private final MemorySegment data;
  private MemorySegment gradient;

  private Parameter(String name, long size, MemorySegment data, MemorySegment gradient) {
    this.name = Objects.requireNonNull(name, "name is null, but must be a string");
    this.size = size;
    this.data = Streams.require("data of '" + name + "'", size, data, true);
    if (gradient != null) {
      setGradient(gradient);
    }
  }

  /// A parameter that has no gradient yet.
  ///
  /// @param name unique among the parameters of an optimizer
  /// @param size number of elements, 0 or more
  /// @param data `size` floats: off-heap, writable, aligned to 4 bytes
  /// @throws IllegalArgumentException if `data` is not such a segment
  /// @throws IllegalStateException if the arena of `data` has been closed
  public static Parameter of(String name, long size, MemorySegment data) {
    return new Parameter(name, size, data, null);
  }

  /// A parameter with its gradient.
  ///
  /// @param name unique among the parameters of an optimizer
  /// @param size number of elements, 0 or more
  /// @param data `size` floats: off-heap, writable, aligned to 4 bytes
  /// @param gradient `size` floats: off-heap, aligned to 4 bytes; may be read-only
  /// @throws IllegalArgumentException if `data` or `gradient` is not such a segment, or if the two
  ///   overlap
  /// @throws IllegalStateException if the arena of `data` or `gradient` has been closed
  public static Parameter of(String name, long size, MemorySegment data, MemorySegment gradient) {
    Objects.requireNonNull(gradient, "gradient is null, but must be a memory segment");
    return new Parameter(name, size, data, gradient);
  }

  public String name() {
    return name;
  }

  /// The number of elements.
  public long size() {
    return size;
  }

  /// The live data: [#size()] floats.
  public MemorySegment data() {
    return data;
  }

  public boolean hasGradient() {
    return gradient != null;
  }

  /// The live gradient: [#size()] floats.
  ///
  /// @throws IllegalStateException if there is none
  public MemorySegment gradient() {
    if (gradient == null) {
      throw new IllegalStateException("parameter '" + name + "' has no gradient");
    }
    return gradient;
  }

  /// The live gradient, or `null` where there is none.
  public MemorySegment gradientOrNull() {
    return gradient;
  }

  /// Makes a segment this parameter's gradient; it is read at each step from now on.
  ///
  /// @param gradient [#size()] floats: off-heap, aligned to 4 bytes; may be read-only
  /// @throws IllegalArgumentException if it is not such a segment, or overlaps the data
  /// @throws IllegalStateException if its arena has been closed
  public void setGradient(MemorySegment gradient) {
    String described = "gradient of '" + name + "'";
    Streams.require(described, size, gradient, false);
    Streams.requireDisjoint(
        List.of(
            new Streams.Named("data of '" + name + "'", data),
            new Streams.Named(described, gradient)));
    this.gradient = gradient;
  }

  /// Leaves this parameter without a gradient: steps pass it by until it has one again.
  public void removeGradient() {
    gradient = null;
  }

  @Override
  public String toString() {
    return "Parameter["
        + name
        + ", "
        + size
        + " elements"
        + (hasGradient() ? "]" : ", no gradient]");
  }
}
