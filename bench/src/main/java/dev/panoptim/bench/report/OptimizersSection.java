package dev.panoptim.bench.report;

import dev.panoptim.bench.BenchedOptimizer;
import java.util.Arrays;
import java.util.Locale;

/// The native step of every optimizer: in cache, and beside the limit of the memory's bandwidth.
final class OptimizersSection implements Section {
  @Override
  public Document.Chapter chapter(Results results) {
    Document.Chapter chapter = Document.Chapter.of("Every optimizer");
    Document.Table table =
        Document.Table.of(
            "optimizer",
            "bytes moved per parameter",
            "time per parameter, in cache",
            "share of the bandwidth limit",
            "quartiles");
    BarChart bars =
        new BarChart("limit", "Share of the bandwidth limit, 33,554,432 parameters", "%.1f %%");
    for (BenchedOptimizer each : BenchedOptimizer.values()) {
      Summary inCache = results.step(each, "native", 1, Results.IN_CACHE);
      Summary percent = results.toLimit(each).inverse().times(100);
      if (inCache.isKnown() || percent.isKnown()) {
        table.add(
            each.label(),
            Integer.toString(each.bytesMoved()),
            inCache.times(1.0 / Results.IN_CACHE).median("%.3f ns"),
            percent.median("%.1f %%"),
            percent.range("%.1f"));
        bars.add(each.label(), percent);
      }
    }
    chapter.add(
        table,
        "In cache: 4,096 parameters, one thread.",
        "Share of the bandwidth limit: time of a kernel that only moves the same bytes / time of"
            + " the step, for 33,554,432 parameters and two threads. More than 100 % is possible,"
            + " because the kernel does not prefetch and the step does.");
    if (!bars.isEmpty()) {
      chapter.add(
          new Document.Picture("Time to move the same bytes / time per step, two threads", bars));
    }
    for (BenchedOptimizer.Family family : BenchedOptimizer.Family.values()) {
      addFamily(chapter, results, family);
    }
    return chapter;
  }

  private static void addFamily(
      Document.Chapter chapter, Results results, BenchedOptimizer.Family family) {
    LineChart chart =
        LineChart.logarithmic(
            family.name().toLowerCase(Locale.ROOT),
            family.title() + ", native, one thread",
            "parameters",
            "time per step (ns)");
    Arrays.stream(BenchedOptimizer.values())
        .filter(each -> each.family() == family)
        .forEach(
            each ->
                chart.add(each.label(), BackendsSection.points(results.steps(each, "native", 1))));
    if (!chart.isEmpty()) {
      chapter.add(
          new Document.Picture(
              family.title() + ": time per step by the number of parameters", chart));
    }
  }
}
