package dev.panoptim.optim;

import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// The contents and frequency of publications; see [CommonOptions#publish].
///
/// Not thread-safe.
public final class PublicationOptions {
  /// The fewest buffers: the newest one, and one to write.
  private static final int FEWEST_BUFFERS = 2;

  /// The most buffers. [PublicationRing] stores the number of a buffer in one byte.
  private static final int MOST_BUFFERS = 64;

  private long every = 1;
  private int buffers = 3;
  private HalfPrecision halfPrecision;
  private boolean averages;

  /// `null` for all parameters.
  private List<Parameter> parameters;

  PublicationOptions() {}

  /// Publishes at each `steps`-th step. The default is 1.
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

  /// The number of buffers, each with a copy of the parameters. The default is 3. One is the newest
  /// and one is written next; each further one may be held by a slow reader without a skipped
  /// publication.
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

  /// Publishes 16-bit numbers instead of floats.
  public PublicationOptions halfPrecision(HalfPrecision format) {
    halfPrecision = Objects.requireNonNull(format, "format is null");
    return this;
  }

  /// Whether the running averages are published instead of the parameters. The default is no. Needs
  /// [CommonOptions#averageParameters].
  public PublicationOptions averages(boolean value) {
    averages = value;
    return this;
  }

  /// Publishes only these parameters. Without this call all parameters are published, including
  /// those of groups that are added later.
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
