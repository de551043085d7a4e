package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.metrics.Metrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The program that [LbfgsMemoryTest] runs in a separate process with a limit of 20 MiB: a history
/// that grows beyond it.
final class LbfgsMemoryProbe {
  private static final int ELEMENTS = 1 << 18;

  private LbfgsMemoryProbe() {}

  public static void main(String[] arguments) {
    try (Parameters all = Parameters.builder().add("x", ELEMENTS).build()) {
      Parameter x = all.get("x");
      for (int i = 0; i < ELEMENTS; i++) {
        x.data().setAtIndex(JAVA_FLOAT, i, 1 + i % 7);
      }
      List<Integer> evaluated = new ArrayList<>();
      try (Lbfgs optimizer = Lbfgs.builder(all).strongWolfe(true).build()) {
        OutOfMemoryError first = refused(optimizer, x, evaluated);
        System.out.println("REFUSED " + first.getMessage());
        int pairs = optimizer.withState(state -> state.pairs().size());
        require(pairs > 3, "there are few pairs");
        int point = hash(x);
        require(evaluated.contains(point), "the parameters are where nothing was evaluated");
        long held = Metrics.snapshot().memory().states();
        refused(optimizer, x, evaluated);
        require(hash(x) == point, "the second refusal moved the parameters");
        require(Metrics.snapshot().memory().states() == held, "the second refusal left memory");
      }
      require(Metrics.snapshot().memory().states() == 0, "memory is held after the close");
      try (Lbfgs shorter = Lbfgs.builder(all).strongWolfe(true).historySize(2).build()) {
        double before = shorter.step(() -> evaluate(x, evaluated));
        require(shorter.report().lastLoss() < before, "a short history does not work");
      }
    }
    System.out.println("DONE");
  }

  private static OutOfMemoryError refused(Lbfgs optimizer, Parameter x, List<Integer> evaluated) {
    try {
      optimizer.step(() -> evaluate(x, evaluated));
    } catch (OutOfMemoryError e) {
      return e;
    }
    throw new AssertionError("all was allocated: " + optimizer.report());
  }

  private static double evaluate(Parameter parameter, List<Integer> evaluated) {
    evaluated.add(hash(parameter));
    double loss = 0;
    for (int i = 0; i < ELEMENTS; i++) {
      double x = parameter.data().getAtIndex(JAVA_FLOAT, i);
      double weight = 1e-3 * (1 + i % 11);
      loss += weight * x * x * x * x;
      parameter.gradient().setAtIndex(JAVA_FLOAT, i, (float) (4 * weight * x * x * x));
    }
    return loss;
  }

  private static int hash(Parameter x) {
    return Arrays.hashCode(x.data().toArray(JAVA_FLOAT));
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }
}
