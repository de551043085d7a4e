package dev.panoptim.dl4j;

import dev.panoptim.memory.GradientSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/// The gradient of a variable, which stays where it is as long as the network is open. Keeps the
/// memory of the network reachable for the parameters of the optimizer.
///
/// @param parameters of the whole network
/// @param gradients of the whole network
/// @param gradientIfOpen the address of the variable's gradient; [GradientSource#NO_GRADIENT] if
///   the optimizer does not train it
record NetworkGradient(INDArray parameters, INDArray gradients, long gradientIfOpen)
    implements GradientSource {
  /// @throws IllegalStateException if the network has been closed
  @Override
  public long gradientAddress() {
    requireInPlace();
    return gradientIfOpen;
  }

  /// @throws IllegalStateException if the network has been closed
  @Override
  public void requireInPlace() {
    if (parameters.wasClosed() || gradients.wasClosed()) {
      throw new IllegalStateException("the network has been closed");
    }
  }

  /// @throws UnsupportedOperationException always: the network keeps its gradients
  @Override
  public void dropGradient() {
    throw new UnsupportedOperationException(
        "gradients of a network of Deeplearning4j cannot be removed: use zeroGrad()");
  }
}
