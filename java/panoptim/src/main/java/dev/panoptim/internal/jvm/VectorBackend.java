package dev.panoptim.internal.jvm;

import dev.panoptim.internal.factored.FactoredOperations;
import dev.panoptim.internal.factored.FactoredShape;
import dev.panoptim.internal.matrix.Products;
import dev.panoptim.internal.matrix.VectorProducts;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.JavaTableKernel;
import dev.panoptim.internal.step.NormDecision;
import dev.panoptim.internal.step.Prepared;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.StepValues;
import dev.panoptim.internal.step.TableKernel;
import dev.panoptim.internal.step.TableLayout;
import dev.panoptim.internal.vector.VectorOperations;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The framework on Java's Vector API, whose module `jdk.incubator.vector` must be in the module
/// graph.
///
/// Thread-safe.
public final class VectorBackend extends Engine {
  /// The loops of each rule, at the index [#place].
  private final Map<Rule, VectorLoop[]> loops = new ConcurrentHashMap<>();

  public VectorBackend() {}

  /// The reason why this backend is unavailable, or `null`.
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
    return new Chunks(this, plan, loopsFor(plan.rows().rule()));
  }

  private VectorLoop[] loopsFor(Rule rule) {
    return loops.computeIfAbsent(shared(rule), VectorBackend::loopsOf);
  }

  /// The rule whose loops a rule shares: some parts are coefficients, and change no loop.
  private static Rule shared(Rule rule) {
    return rule.toBuilder().maximize(false).epsilonBeforeCorrection(false).build();
  }

  /// The chunks of a plan with the loops of its rule, so that no step looks them up.
  private static final class Chunks extends ParallelChunks {
    final VectorLoop[] loops;

    Chunks(Engine engine, StepPlan plan, VectorLoop[] loops) {
      super(engine, plan);
      this.loops = loops;
    }
  }

  private Chunks chunks(StepPlan plan) {
    return (Chunks) prepared(plan);
  }

  @Override
  public FactoredOperations factoredOperations(
      FactoredShape shape, MemorySegment workspace, int threads) {
    return new TiledFactored(VectorApiFactored.INSTANCE, shape, workspace, threads);
  }

  @Override
  public Products products() {
    return new VectorProducts();
  }

  @Override
  public VectorOperations vectorOperations(long length, int threads) {
    return new ChunkedVectors(VectorApiVectors.INSTANCE, length, threads);
  }

  @Override
  public TableKernel tableKernel(TableLayout layout) {
    VectorLoop[] own = loopsFor(layout.rule());
    return new JavaTableKernel(layout) {
      @Override
      protected void update(StepPlan plan, Decay decay, int length) {
        own[place(decay, false)].update(plan, 0, 0, length);
      }
    };
  }

  @Override
  protected void sumSquares(StepPlan plan, int threads) {
    chunks(plan).run(threads, VectorSumOfSquares.sums());
  }

  @Override
  protected void fillMeasures(StepPlan plan, int threads) {
    ParallelChunks chunks = chunks(plan);
    chunks.measures().makeLanes();
    chunks.run(threads, ScalarMeasure::measure);
  }

  @Override
  protected void run(StepPlan plan, int threads, NormDecision decision) {
    StepValues values = plan.values();
    Chunks chunks = chunks(plan);
    chunks.run(threads, chunks.loops[place(values.decay(), values.clips())]);
  }

  private static VectorLoop[] loopsOf(Rule rule) {
    VectorLoop[] made = new VectorLoop[4];
    for (Decay decay : EnumSet.of(rule.decay(), Decay.NONE)) {
      for (boolean clips : new boolean[] {false, true}) {
        made[place(decay, clips)] =
            VectorLoop.specialised(new VectorLoop.Composition(rule, decay, clips));
      }
    }
    return made;
  }

  private static int place(Decay decay, boolean clips) {
    return (decay == Decay.NONE ? 0 : 2) + (clips ? 1 : 0);
  }
}
