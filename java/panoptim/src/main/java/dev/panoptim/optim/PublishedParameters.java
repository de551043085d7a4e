package dev.panoptim.optim;

import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Set;

/// Copies of parameters, all after the same step; see [Publication].
///
/// Thread-safe and constant while held: until the action of [Publication#read] returns, or the
/// [PublicationLease] is closed. After that the memory is overwritten, so neither this object nor
/// its segments may be used.
public final class PublishedParameters {
  private final PublicationBuffer buffer;

  PublishedParameters(PublicationBuffer buffer) {
    this.buffer = buffer;
  }

  /// The number of the step that was published: the largest step count of all parameters of the
  /// optimizer after that step. 0 before the first step.
  public long step() {
    return buffer.step();
  }

  /// The copy of a parameter, read-only: as many floats as it has elements, or as many 16-bit
  /// numbers if there is a [#halfPrecision].
  ///
  /// @throws IllegalArgumentException if the parameter is not published
  public MemorySegment data(Parameter parameter) {
    return data(parameter.name());
  }

  /// The copy of the parameter of that name; otherwise as [#data(Parameter)].
  ///
  /// @throws IllegalArgumentException if there is none, or it is not published
  public MemorySegment data(String name) {
    MemorySegment found = buffer.copies().get(name);
    if (found == null) {
      throw new IllegalArgumentException(
          "parameter '%s' is not published, but only %s are".formatted(name, names()));
    }
    return found;
  }

  /// The names of the parameters that are published.
  public Set<String> names() {
    return buffer.copies().keySet();
  }

  /// The format of the copies; empty for floats.
  public Optional<HalfPrecision> halfPrecision() {
    return buffer.halfPrecision();
  }

  @Override
  public String toString() {
    return "PublishedParameters[step %s, %s parameters]".formatted(step(), names().size());
  }
}
