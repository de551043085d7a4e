package dev.panoptim.schedule;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The schedules of the goldens, by the names in `make.py`.
final class ScheduleCases {
  static final long STEPS = 10_001;

  private ScheduleCases() {}

  static Map<String, Schedule> all() {
    Map<String, Schedule> all = new LinkedHashMap<>();
    all.put("constant", Schedules.constant());
    all.put("constant-factor", Schedules.constantFactor(0.3, 40));
    all.put("constant-factor-default", Schedules.constantFactor(1.0 / 3, 5));
    all.put("step", Schedules.step(30, 0.9));
    all.put(
        "multi-step",
        Schedules.multiStep(List.of(3000L, 10L, 500L, 500L, 3000L, 3000L, 9000L), 0.3));
    all.put("multi-step-at-0", Schedules.multiStep(List.of(0L, 5L, 10_000L), 0.7));
    all.put("exponential", Schedules.exponential(0.9995));
    all.put("exponential-to-0", Schedules.exponential(0.9));
    all.put("polynomial", Schedules.polynomial(8000, 0.9));
    all.put("polynomial-default", Schedules.polynomial(5, 1));
    all.put("polynomial-square", Schedules.polynomial(10_000, 2));
    all.put("linear-default", Schedules.linear(1.0 / 3, 1, 5));
    all.put("linear-up", Schedules.linear(1e-3, 1, 4000));
    all.put("linear-down", Schedules.linear(1, 0, 9000));
    all.put("cosine", Schedules.cosineAnnealing(10_000, 0));
    all.put("cosine-beyond", Schedules.cosineAnnealing(700, 1e-5));
    all.put("cosine-of-1", Schedules.cosineAnnealing(1, 0));
    all.put("cosine-of-7", Schedules.cosineAnnealing(7, 0.01));
    all.put("warm-restarts", Schedules.warmRestarts(300, 1, 0));
    all.put("warm-restarts-2", Schedules.warmRestarts(50, 2, 1e-6));
    all.put("warm-restarts-3", Schedules.warmRestarts(7, 3, 0));
    addOneCycle(all, "one-cycle", 0.3, Annealing.COSINE, 25, false);
    addOneCycle(all, "one-cycle-linear", 0.3, Annealing.LINEAR, 10, false);
    addOneCycle(all, "one-cycle-three", 0.4, Annealing.COSINE, 25, true);
    addOneCycle(all, "one-cycle-three-linear", 0.3, Annealing.LINEAR, 25, true);
    addOneCycle(all, "one-cycle-no-rise", 0, Annealing.COSINE, 25, false);
    addCyclic(all, "cyclic", 200, 200, CyclicMode.TRIANGULAR, 1);
    addCyclic(all, "cyclic-2", 200, 300, CyclicMode.TRIANGULAR2, 1);
    addCyclic(all, "cyclic-exp", 77, 131, CyclicMode.EXP_RANGE, 0.9994);
    all.put(
        "sequential",
        Schedules.sequential(
            List.of(
                Schedules.constantFactor(0.25, 30),
                Schedules.exponential(0.999),
                Schedules.warmRestarts(50, 2, 1e-6),
                Schedules.multiStep(List.of(10L, 20L, 20L), 0.3),
                Schedules.cosineAnnealing(4000, 1e-4)),
            List.of(100L, 2000L, 5000L, 5001L)));
    all.put(
        "sequential-warmup-cosine", Schedules.warmupThen(500, Schedules.cosineAnnealing(9500, 0)));
    all.put(
        "chained",
        Schedules.chained(Schedules.constantFactor(0.1, 20), Schedules.exponential(0.999)));
    all.put(
        "chained-three",
        Schedules.chained(
            Schedules.linear(0.01, 1, 1000),
            Schedules.step(900, 0.8),
            Schedules.cosineAnnealing(9999, 0)));
    all.put("lambda", Schedules.lambda("hyperbola", step -> 1 / (1 + 0.01 * step)));
    all.put(
        "multiplicative",
        Schedules.multiplicative("ever less", step -> 1 - 1 / (double) (step + 10)));
    all.put("wsd-linear", Schedules.warmupStableDecay(1000, 6000, 2000, DecayShape.LINEAR, 0));
    all.put("wsd-cosine", Schedules.warmupStableDecay(1000, 6000, 2000, DecayShape.COSINE, 0.1));
    all.put("wsd-sqrt", Schedules.warmupStableDecay(0, 6000, 3000, DecayShape.ONE_MINUS_SQRT, 0));
    all.put("inverse-square-root", Schedules.inverseSquareRoot(4000));
    return all;
  }

  private static void addOneCycle(
      Map<String, Schedule> all,
      String name,
      double pctStart,
      Annealing annealing,
      double divFactor,
      boolean threePhase) {
    all.put(name, Schedules.oneCycle(0.1, STEPS, pctStart, annealing, divFactor, 1e4, threePhase));
    all.put(
        name + "-momentum",
        Schedules.oneCycleMomentum(0.85, 0.95, STEPS, pctStart, annealing, threePhase));
  }

  private static void addCyclic(
      Map<String, Schedule> all, String name, long up, long down, CyclicMode mode, double gamma) {
    all.put(name, Schedules.cyclic(1e-4, 0.1, up, down, mode, gamma));
    all.put(name + "-momentum", Schedules.cyclicMomentum(0.8, 0.9, up, down, mode, gamma));
  }
}
