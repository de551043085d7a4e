package dev.panoptim.internal.jvm;

import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Rule;
import java.util.concurrent.atomic.AtomicReferenceArray;

/// The framework on Java's Vector API, whose module `jdk.incubator.vector` has to be in the module
/// graph.
///
/// Thread-safe.
public final class VectorBackend extends Engine {
  /// Loops that have been made, by the number of their composition.
  private final AtomicReferenceArray<VectorLoop> loops =
      new AtomicReferenceArray<>(VectorLoop.COMPOSITIONS);

  public VectorBackend() {}

  /// What keeps this backend from running, or `null`.
  public static String whyNot() {
    try {
      Class.forName("jdk.incubator.vector.FloatVector");
      return null;
    } catch (ClassNotFoundException | LinkageError e) {
      return "the module jdk.incubator.vector is not in the module graph;"
          + " start Java with --add-modules jdk.incubator.vector";
    }
  }

  @Override
  public String name() {
    return "vector";
  }

  @Override
  public String describe() {
    return "Java Vector API, " + VectorLoop.lanes() + " floats at a time";
  }

  @Override
  protected void makeReady(StepPlan plan, StepPlan before) {
    for (boolean clips : new boolean[] {false, true}) {
      loopFor(plan.rule(), plan.rule().decay(), clips);
      loopFor(plan.rule(), Decay.NONE, clips);
    }
  }

  @Override
  protected void sumSquares(StepPlan plan, int threads) {
    plan.parallelChunks().run(threads, VectorSumOfSquares.sums());
  }

  @Override
  protected void run(StepPlan plan, int threads) {
    plan.parallelChunks().run(threads, loopFor(plan.rule(), plan.decay(), plan.clips()));
  }

  private VectorLoop loopFor(Rule rule, Decay decay, boolean clips) {
    int number = VectorLoop.number(rule, decay, clips);
    VectorLoop loop = loops.get(number);
    if (loop == null) {
      loop = VectorLoop.specialised(number);
      loops.set(number, loop);
    }
    return loop;
  }
}
