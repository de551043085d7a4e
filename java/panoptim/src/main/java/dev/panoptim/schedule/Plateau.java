package dev.panoptim.schedule;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The best metric and the counts of a scheduler for one [ReduceOnPlateau].
///
/// Not thread-safe.
final class Plateau {
  private static final String BEST = "best";
  private static final String BAD_STEPS = "badSteps";
  private static final String COOLDOWN_LEFT = "cooldownLeft";

  private final ReduceOnPlateau options;
  private double best;
  private long badSteps;
  private long cooldownLeft;

  private double bestBefore;
  private long badStepsBefore;
  private long cooldownLeftBefore;

  Plateau(ReduceOnPlateau options) {
    this.options = options;
    best = options.worst();
  }

  /// Records a metric.
  ///
  /// @return whether the values are to be reduced
  boolean observe(double metric) {
    bestBefore = best;
    badStepsBefore = badSteps;
    cooldownLeftBefore = cooldownLeft;
    if (options.isBetter(metric, best)) {
      best = metric;
      badSteps = 0;
    } else {
      badSteps++;
    }
    if (cooldownLeft > 0) {
      cooldownLeft--;
      badSteps = 0;
    }
    boolean reduce = badSteps > options.patience();
    if (reduce) {
      cooldownLeft = options.cooldown();
      badSteps = 0;
    }
    return reduce;
  }

  /// Restores the state before the last metric.
  void forget() {
    best = bestBefore;
    badSteps = badStepsBefore;
    cooldownLeft = cooldownLeftBefore;
  }

  double reduced(double value) {
    return options.reduced(value);
  }

  Map<String, Double> doubles() {
    return Map.of(BEST, best);
  }

  Map<String, Long> longs() {
    Map<String, Long> all = new LinkedHashMap<>();
    all.put(BAD_STEPS, badSteps);
    all.put(COOLDOWN_LEFT, cooldownLeft);
    return all;
  }

  /// Adds the reasons why the numbers are not the state of a plateau.
  static void addDifferences(
      List<String> differences,
      String where,
      Map<String, Double> doubles,
      Map<String, Long> longs) {
    Plateau any = new Plateau(ReduceOnPlateau.builder().build());
    if (!doubles.keySet().equals(any.doubles().keySet())
        || !longs.keySet().equals(any.longs().keySet())) {
      differences.add(
          "%s has the state %s and %s, but must have %s and %s"
              .formatted(
                  where,
                  doubles.keySet(),
                  longs.keySet(),
                  any.doubles().keySet(),
                  any.longs().keySet()));
      return;
    }
    if (Double.isNaN(doubles.get(BEST))) {
      differences.add(where + " has NaN as the best metric, but must have a number");
    }
    longs.forEach(
        (name, value) -> {
          if (value < 0) {
            differences.add(where + " has " + value + " " + name + ", but it must be 0 or more");
          }
        });
  }

  void load(Map<String, Double> doubles, Map<String, Long> longs) {
    best = doubles.get(BEST);
    badSteps = longs.get(BAD_STEPS);
    cooldownLeft = longs.get(COOLDOWN_LEFT);
  }
}
