package dev.panoptim.examples.bridges;

import dev.panoptim.examples.bridges.Comparison.Result;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/// The results of a comparison as text.
final class ComparisonReport {
  private ComparisonReport() {}

  /// A table of both sides and two lines of ratios.
  ///
  /// @param batchSize pictures of a batch
  static String text(Result result, int batchSize) {
    return String.format(
            Locale.ROOT,
            "%s model: %,d parameters in %d tensors, batches of %d%n",
            result.size(),
            result.size().parameters(),
            result.size().tensors(),
            batchSize)
        + String.format(
            Locale.ROOT,
            "  %-18s %9s %9s %18s %16s%n",
            "optimizer",
            "accuracy",
            "steps/s",
            "optimizer's share",
            "optimizer's step")
        + row(result.own(), result.ownAccuracy())
        + row(result.panoptim(), result.panoptimAccuracy())
        + ratio("step: own / Panoptim", result.stepRatios())
        + ratio("whole training: own / Panoptim", result.wholeRatios());
  }

  private static String row(SideRecord side, double accuracy) {
    return String.format(
        Locale.ROOT,
        "  %-18s %7.1f %% %9.1f %16.1f %% %13.1f us%n",
        side.name(),
        100 * accuracy,
        median(side, RoundTimes::stepsPerSecond),
        100 * median(side, RoundTimes::optimizerShare),
        median(side, RoundTimes::optimizerMicros));
  }

  private static double median(SideRecord side, ToDoubleFunction<RoundTimes> figure) {
    return Quartiles.of(side.rounds().stream().mapToDouble(figure).boxed().toList()).median();
  }

  private static String ratio(String name, List<Double> ratios) {
    Quartiles quartiles = Quartiles.of(ratios);
    return String.format(
        Locale.ROOT,
        "  %-31s %.2f (quartiles %.2f to %.2f)%n",
        name,
        quartiles.median(),
        quartiles.first(),
        quartiles.third());
  }
}
