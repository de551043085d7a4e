package dev.panoptim.optim;

import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Set;

/// Whole copies of parameters, all as one step left them. What [Publication] hands to a reader.
///
/// Thread-safe and unchanging for as long as it is held: until the action of [Publication#read]
/// returns, or the [PublicationLease] is closed. After that the memory is written anew, so neither
/// this nor its segments may be kept.
public final class PublishedParameters {
  private final PublicationBuffer buffer;

  PublishedParameters(PublicationBuffer buffer) {
    this.buffer = buffer;
  }

  /// The number of the step that left the parameters so: the largest step count that any parameter
  /// of the optimizer had then. 0 before the first step.
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
