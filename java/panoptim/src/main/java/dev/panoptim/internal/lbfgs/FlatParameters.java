package dev.panoptim.internal.lbfgs;

import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Parameters on the CPU as one vector: the elements of all of them, in their order.
///
/// Vectors belong to the caller and have [#length()] floats. Not thread-safe.
public final class FlatParameters {
  private final List<Parameter> parameters;

  /// The elements before each parameter.
  private final long[] offsets;

  private final long length;

  /// @throws IllegalArgumentException if there is no parameter, one is on a GPU, two have the same
  ///   name, data overlap, or there are more than 2^61-1 elements
  public FlatParameters(List<Parameter> parameters) {
    this.parameters = List.copyOf(parameters);
    if (parameters.isEmpty()) {
      throw new IllegalArgumentException("there is no parameter, but there must be at least one");
    }
    Map<String, Parameter> byName = new LinkedHashMap<>();
    offsets = new long[parameters.size()];
    long elements = 0;
    for (int i = 0; i < offsets.length; i++) {
      Parameter each = parameters.get(i);
      if (!each.device().isCpu()) {
        throw new IllegalArgumentException(
            "parameter '%s' is on %s, but L-BFGS works on the cpu only"
                .formatted(each.name(), each.device()));
      }
      Parameter other = byName.put(each.name(), each);
      if (other != null) {
        throw new IllegalArgumentException(
            other == each
                ? "parameter '" + each.name() + "' is given twice"
                : "there are two parameters named '" + each.name() + "', but names must differ");
      }
      offsets[i] = elements;
      elements += each.size();
      TensorChecks.bytes("all parameters together", elements);
    }
    length = elements;
    TensorChecks.requireDisjoint(
        parameters.stream().map(each -> named(each, each.data())).toList());
  }

  private static TensorChecks.Named named(Parameter parameter, MemorySegment data) {
    return new TensorChecks.Named(
        "data of '" + parameter.name() + "'", data, parameter.size() * Float.BYTES);
  }

  public List<Parameter> list() {
    return parameters;
  }

  /// The number of elements of all parameters.
  public long length() {
    return length;
  }

  /// Checks that this thread can read and write all data now.
  ///
  /// @throws IllegalStateException if the arena of data has been closed, or a source of gradients
  ///   says that data have moved
  /// @throws WrongThreadException if the arena of data is confined to another thread
  public void requireReady() {
    for (Parameter each : parameters) {
      each.requireInPlace();
      TensorChecks.requireAlive("data of '" + each.name() + "'", each.data());
    }
  }

  public void copyDataTo(MemorySegment vector) {
    requireReady();
    for (int i = 0; i < offsets.length; i++) {
      slice(vector, i).copyFrom(parameters.get(i).data());
    }
  }

  /// Checks all parameters before the first one is written.
  public void copyDataFrom(MemorySegment vector) {
    requireReady();
    for (int i = 0; i < offsets.length; i++) {
      parameters.get(i).data().copyFrom(slice(vector, i));
    }
  }

  /// As [#copyDataFrom], but writes all parameters that can be written, and throws the first
  /// failure at the end.
  public void restoreData(MemorySegment vector) {
    RuntimeException failure = null;
    for (int i = 0; i < offsets.length; i++) {
      try {
        parameters.get(i).requireInPlace();
        parameters.get(i).data().copyFrom(slice(vector, i));
      } catch (RuntimeException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /// Copies all gradients; those of parameters without a gradient are 0.
  ///
  /// @throws IllegalStateException if the arena of a gradient has been closed
  /// @throws WrongThreadException if it is confined to another thread
  public void copyGradientsTo(MemorySegment vector) {
    for (int i = 0; i < offsets.length; i++) {
      Parameter each = parameters.get(i);
      each.updateGradient();
      MemorySegment to = slice(vector, i);
      if (each.hasGradient()) {
        String name = "gradient of '" + each.name() + "'";
        to.copyFrom(TensorChecks.require(name, each.size(), each.gradient(), false));
      } else {
        to.fill((byte) 0);
      }
    }
  }

  private MemorySegment slice(MemorySegment vector, int parameter) {
    return vector.asSlice(
        offsets[parameter] * Float.BYTES, parameters.get(parameter).size() * Float.BYTES);
  }
}
