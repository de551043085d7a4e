package dev.panoptim.examples.bridges;

import java.util.Arrays;
import java.util.Collection;

/// Median and quartiles of measurements. Between two measurements they are interpolated linearly.
public record Quartiles(double first, double median, double third) {
  /// @param values one or more
  public static Quartiles of(Collection<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    if (sorted.length == 0) {
      throw new IllegalArgumentException("values is empty, but must have one value or more");
    }
    return new Quartiles(at(sorted, 0.25), at(sorted, 0.5), at(sorted, 0.75));
  }

  private static double at(double[] sorted, double share) {
    double place = share * (sorted.length - 1);
    int below = (int) Math.floor(place);
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }

  /// The median alone.
  ///
  /// @param values one or more
  public static double median(double... values) {
    return of(Arrays.stream(values).boxed().toList()).median();
  }
}
