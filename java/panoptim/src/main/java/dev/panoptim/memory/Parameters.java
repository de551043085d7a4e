package dev.panoptim.memory;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Named parameters with memory of Panoptim's own: data and gradients, zeroed, laid out for speed.
///
/// ```java
/// try (var parameters = Parameters.builder().add("weight", 64 * 10).add("bias", 10).build()) {
///   MemorySegment weight = parameters.get("weight").data();
/// }
/// ```
///
/// Thread-safe once built, as far as a [Parameter] is.
public final class Parameters implements AutoCloseable, Iterable<Parameter> {
  private final Slab slab;
  private final Map<String, Parameter> byName = new LinkedHashMap<>();

  private Parameters(Map<String, Long> sizes) {
    List<String> names = List.copyOf(sizes.keySet());
    long[] lengths = sizes.values().stream().mapToLong(Long::longValue).toArray();
    slab = Slab.allocate(names, lengths, 0, 2);
    for (int i = 0; i < lengths.length; i++) {
      String name = names.get(i);
      byName.put(name, Parameter.of(name, lengths[i], slab.get(0, i), slab.get(1, i)));
    }
  }

  public static Builder builder() {
    return new Builder();
  }

  /// In the order in which they were added.
  public List<Parameter> all() {
    return List.copyOf(byName.values());
  }

  /// @throws IllegalArgumentException if there is none of that name
  public Parameter get(String name) {
    Parameter parameter = byName.get(name);
    if (parameter == null) {
      throw new IllegalArgumentException(
          "there is no parameter '" + name + "' among " + byName.keySet());
    }
    return parameter;
  }

  @Override
  public Iterator<Parameter> iterator() {
    return all().iterator();
  }

  /// Frees data and gradients. Does nothing when they have been freed.
  ///
  /// @throws IllegalStateException if a step is using them
  @Override
  public void close() {
    slab.close();
  }

  /// Collects names and sizes, so that all of them can be laid out together.
  public static final class Builder {
    private final Map<String, Long> sizes = new LinkedHashMap<>();

    private Builder() {}

    /// @param name not used before
    /// @param size number of elements, 0 or more
    /// @throws IllegalArgumentException if the name was used before, or the size is negative or too
    ///   large
    public Builder add(String name, long size) {
      Objects.requireNonNull(name, "name is null, but must be a string");
      Streams.bytes(name, size);
      if (sizes.putIfAbsent(name, size) != null) {
        throw new IllegalArgumentException("there are two parameters named '" + name + "'");
      }
      return this;
    }

    /// @throws OutOfMemoryError if the system has not so much memory
    public Parameters build() {
      return new Parameters(sizes);
    }
  }
}
