package dev.panoptim.internal.step;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// The states of a row by the names of [dev.panoptim.rule.Rule#stateNames()], which is the one
/// order of states. A state that the rule does not have is `null`.
///
/// The names are looked up once: a search for each element would take most of the time of a step in
/// plain Java.
///
/// Immutable and thread-safe.
public final class States {
  public final MemorySegment firstMoment;
  public final MemorySegment secondMoment;
  public final MemorySegment rowMeans;
  public final MemorySegment columnMeans;
  public final MemorySegment maximum;
  public final MemorySegment mean;
  public final MemorySegment units;
  public final MemorySegment slowMoment;
  public final MemorySegment differenceMoment;
  public final MemorySegment previousGradient;
  public final MemorySegment parameterAverage;
  public final MemorySegment stepSizes;
  public final MemorySegment z;

  private final List<String> names;
  private final List<MemorySegment> segments;

  /// @param names of the segments, in order
  States(List<String> names, List<MemorySegment> segments) {
    this.names = names;
    this.segments = segments;
    firstMoment = named("firstMoment");
    secondMoment = named("secondMoment");
    rowMeans = named("rowMeans");
    columnMeans = named("columnMeans");
    maximum = named("maximum");
    mean = named("mean");
    units = named("units");
    slowMoment = named("slowMoment");
    differenceMoment = named("differenceMoment");
    previousGradient = named("previousGradient");
    parameterAverage = named("parameterAverage");
    stepSizes = named("stepSizes");
    z = named("z");
  }

  private MemorySegment named(String name) {
    int place = names.indexOf(name);
    return place < 0 ? null : segments.get(place);
  }

  /// The number of states.
  public int count() {
    return segments.size();
  }

  /// A state by its place in the one order.
  public MemorySegment get(int place) {
    return segments.get(place);
  }
}
