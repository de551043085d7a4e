package dev.panoptim.dl4j;

import java.io.NotSerializableException;
import java.io.Serial;
import org.deeplearning4j.optimize.api.StepFunction;
import org.deeplearning4j.optimize.solvers.accumulation.GradientsAccumulator;
import org.deeplearning4j.optimize.solvers.accumulation.IndexedTail;
import org.nd4j.linalg.api.ndarray.INDArray;

/// Keeps the network from subtracting the gradients, which are 0 after a step: this saves a pass
/// over parameters and gradients. A network with an accumulator hands it the gradients instead of
/// subtracting them.
final class NoSubtraction implements GradientsAccumulator {
  @Serial private static final long serialVersionUID = 1;

  private final transient InPlaceStep step;

  NoSubtraction(InPlaceStep step) {
    this.step = step;
  }

  /// @throws IllegalStateException if the network has another updater now
  @Override
  public void applyUpdate(
      StepFunction function, INDArray parameters, INDArray updates, boolean isFinalStep) {
    step.requireMade();
  }

  @Override
  public void applyUpdate(
      StepFunction function, INDArray parameters, INDArray updates, double alpha) {
    step.requireMade();
  }

  @Override
  public void storeUpdate(INDArray array, int iteration, int epoch) {}

  @Override
  public void receiveUpdate(INDArray array) {}

  @Override
  public void markExternalUpdates(boolean updatesAvailable) {}

  @Override
  public boolean hasAnything() {
    return false;
  }

  @Override
  public void reset() {}

  @Override
  public void touch() {}

  @Override
  public IndexedTail getExternalSource() {
    return null;
  }

  @Override
  public void setExternalSource(IndexedTail source) {
    throw new UnsupportedOperationException(
        "a network with Panoptim's updater cannot be trained from an external source of updates");
  }

  @Serial
  private Object writeReplace() throws NotSerializableException {
    throw new NotSerializableException(PanoptimUpdater.class.getName());
  }
}
