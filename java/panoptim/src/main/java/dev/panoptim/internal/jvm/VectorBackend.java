package dev.panoptim.internal.jvm;

import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.NormDecision;
import dev.panoptim.internal.step.Prepared;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.StepValues;
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
  protected Prepared make(StepPlan plan, Prepared before) {
    Rule rule = plan.rows().rule();
    for (boolean clips : new boolean[] {false, true}) {
      loopFor(rule, rule.decay(), clips);
      loopFor(rule, Decay.NONE, clips);
    }
    return new ParallelChunks(this, plan);
  }

  private ParallelChunks chunks(StepPlan plan) {
    return (ParallelChunks) prepared(plan);
  }

  @Override
  protected void sumSquares(StepPlan plan, int threads) {
    chunks(plan).run(threads, VectorSumOfSquares.sums());
  }

  @Override
  protected void run(StepPlan plan, int threads, NormDecision decision) {
    StepValues values = plan.values();
    chunks(plan).run(threads, loopFor(plan.rows().rule(), values.decay(), values.clips()));
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
