package dev.panoptim.internal.jvm;

import dev.panoptim.internal.factored.FactoredOperations;
import dev.panoptim.internal.factored.FactoredShape;
import dev.panoptim.internal.matrix.Products;
import dev.panoptim.internal.matrix.ScalarProducts;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.JavaTableKernel;
import dev.panoptim.internal.step.NormDecision;
import dev.panoptim.internal.step.Prepared;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.TableKernel;
import dev.panoptim.internal.step.TableLayout;
import dev.panoptim.internal.vector.VectorOperations;
import dev.panoptim.rule.Decay;
import java.lang.foreign.MemorySegment;

/// Steps in plain Java, one element at a time: [ScalarUpdate].
///
/// Thread-safe.
public final class ScalarBackend extends Engine {
  public static final ScalarBackend INSTANCE = new ScalarBackend();

  private ScalarBackend() {}

  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public String describe() {
    return "plain Java, one element at a time";
  }

  @Override
  protected Prepared make(StepPlan plan, Prepared before) {
    return new ParallelChunks(this, plan);
  }

  private ParallelChunks chunks(StepPlan plan) {
    return (ParallelChunks) prepared(plan);
  }

  @Override
  public FactoredOperations factoredOperations(
      FactoredShape shape, MemorySegment workspace, int threads) {
    return new TiledFactored(ScalarFactored.INSTANCE, shape, workspace, threads);
  }

  @Override
  public Products products() {
    return ScalarProducts.INSTANCE;
  }

  @Override
  public VectorOperations vectorOperations(long length, int threads) {
    return new ChunkedVectors(ScalarVectors.INSTANCE, length, threads);
  }

  @Override
  public TableKernel tableKernel(TableLayout layout) {
    return new JavaTableKernel(layout) {
      @Override
      protected void update(StepPlan plan, Decay decay, int length) {
        ScalarUpdate.update(plan, 0, 0, length);
      }
    };
  }

  @Override
  protected void sumSquares(StepPlan plan, int threads) {
    chunks(plan).run(threads, SumOfSquares::sumChunk);
  }

  @Override
  protected void fillMeasures(StepPlan plan, int threads) {
    ParallelChunks chunks = chunks(plan);
    chunks.measures().makeLanes();
    chunks.run(threads, ScalarMeasure::measure);
  }

  @Override
  protected void run(StepPlan plan, int threads, NormDecision decision) {
    chunks(plan).run(threads, ScalarBackend::update);
  }

  /// Updates a chunk, or the elements at its end that do not fill a vector.
  static void update(StepPlan plan, int index, long start, int length) {
    ScalarUpdate.update(plan, index, start, length);
    Epilogue.run(plan, index, start, length);
  }
}
