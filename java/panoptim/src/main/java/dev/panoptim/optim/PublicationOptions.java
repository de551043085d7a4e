package dev.panoptim.optim;

import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// What an optimizer publishes, and how often; see [OptimizerBuilder#publish].
///
/// Not thread-safe.
public final class PublicationOptions {
  /// The fewest buffers: one that readers find, and one that is written.
  private static final int FEWEST_BUFFERS = 2;

  /// The most buffers. A number of a buffer is one byte.
  private static final int MOST_BUFFERS = 64;

  private long every = 1;
  private int buffers = 3;
  private HalfPrecision halfPrecision;
  private boolean averages;

  /// `null` for all parameters.
  private List<Parameter> parameters;

  PublicationOptions() {}

  /// Publishes at each `steps`-th step: 1, unless it is changed.
  ///
  /// @param steps 1 or more
  /// @throws IllegalArgumentException if it is not
  public PublicationOptions every(long steps) {
    if (steps < 1) {
      throw new IllegalArgumentException("steps is " + steps + ", but must be 1 or more");
    }
    every = steps;
    return this;
  }

  /// How many copies of the parameters rotate: 3, unless it is changed. One is what readers find,
  /// one is written next, and each further one may be held by a slow reader without a publication
  /// being skipped.
  ///
  /// @param count from 2 to 64
  /// @throws IllegalArgumentException if it is not
  public PublicationOptions buffers(int count) {
    if (count < FEWEST_BUFFERS || count > MOST_BUFFERS) {
      throw new IllegalArgumentException(
          "buffers is %s, but must be from %s to %s"
              .formatted(count, FEWEST_BUFFERS, MOST_BUFFERS));
    }
    buffers = count;
    return this;
  }

  /// Publishes 16-bit numbers in the place of floats.
  public PublicationOptions halfPrecision(HalfPrecision format) {
    halfPrecision = Objects.requireNonNull(format, "format is null");
    return this;
  }

  /// Whether the running averages of the parameters are published, in the place of the parameters:
  /// no, unless it is changed. Needs [OptimizerBuilder#averageParameters].
  public PublicationOptions averages(boolean value) {
    averages = value;
    return this;
  }

  /// Publishes these parameters alone. Without this call all parameters are published, those of
  /// groups that are added later too.
  ///
  /// @param chosen one or more parameters of the optimizer
  /// @throws IllegalArgumentException if there is none
  public PublicationOptions parameters(Iterable<Parameter> chosen) {
    List<Parameter> copy = new ArrayList<>();
    chosen.forEach(each -> copy.add(Objects.requireNonNull(each, "a parameter is null")));
    if (copy.isEmpty()) {
      throw new IllegalArgumentException(
          "parameters is empty, but must have at least one parameter");
    }
    parameters = List.copyOf(copy);
    return this;
  }

  long every() {
    return every;
  }

  int buffers() {
    return buffers;
  }

  /// `null` for floats.
  HalfPrecision halfPrecision() {
    return halfPrecision;
  }

  boolean averages() {
    return averages;
  }

  /// The parameters to publish, of all those that the optimizer has.
  List<Parameter> chosenOf(List<Parameter> all) {
    return parameters == null ? all : parameters;
  }
}
