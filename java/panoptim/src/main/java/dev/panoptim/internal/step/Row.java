package dev.panoptim.internal.step;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// The memory of one parameter that a step works on.
///
/// Immutable.
///
/// @param name of the parameter, for messages
/// @param size number of elements
/// @param shape extents of the parameter, which decide the sizes of states
/// @param data `size` floats
/// @param gradient `size` floats; where the gradient was when the row was made
/// @param states in the order of [dev.panoptim.rule.Rule#stateNames()]; of the shapes of
///   [dev.panoptim.rule.Rule#stateShape]
/// @param average `size` floats, a running average of the data; `null` in all rows of a group that
///   keeps none
/// @param halfPrecisionCopy `size` 16-bit numbers, a copy of the data; `null` in all rows of a
///   group that has none
/// @param published bytes from the beginning of a [PublishTarget] to this row's copy there;
///   negative if the row is not published
/// @param untouched other memory of the parameter, which the step does not use: gradients must not
///   overlap it
/// @param ownStates whether states, average and half-precision copy lie in memory that only the
///   caller of steps frees, and never during a step; such arenas need no [ArenaHold]
public record Row(
    String name,
    long size,
    List<Long> shape,
    MemorySegment data,
    MemorySegment gradient,
    List<MemorySegment> states,
    MemorySegment average,
    MemorySegment halfPrecisionCopy,
    long published,
    List<MemorySegment> untouched,
    boolean ownStates) {
  public Row {
    states = List.copyOf(states);
    untouched = List.copyOf(untouched);
  }

  /// A row of one dimension that is not published, and of whose arenas any can be closed during a
  /// step.
  public Row(
      String name,
      long size,
      MemorySegment data,
      MemorySegment gradient,
      List<MemorySegment> states,
      MemorySegment average,
      MemorySegment halfPrecisionCopy) {
    this(
        name,
        size,
        List.of(size),
        data,
        gradient,
        states,
        average,
        halfPrecisionCopy,
        -1,
        List.of(),
        false);
  }

  /// The same with other data, and without what follows from data.
  ///
  /// @param used the states that are used
  /// @param unused the other states
  Row towards(MemorySegment data, List<MemorySegment> used, List<MemorySegment> unused) {
    return new Row(name, size, shape, data, gradient, used, null, null, -1, unused, ownStates);
  }

  /// The same with another gradient.
  ///
  /// @param used the states that are used
  Row along(MemorySegment gradient, List<MemorySegment> used) {
    return new Row(
        name,
        size,
        shape,
        data,
        gradient,
        used,
        average,
        halfPrecisionCopy,
        published,
        List.of(),
        ownStates);
  }

  /// Data and another gradient alone.
  Row measuredBy(MemorySegment gradient) {
    return new Row(
        name, size, shape, data, gradient, List.of(), null, null, -1, List.of(), ownStates);
  }
}
