package dev.panoptim.djl;

import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtNDArray;
import dev.panoptim.memory.GradientSource;

/// A parameter of a DJL block, whose array is trained in place. Not thread-safe.
final class ModelParameter implements GradientSource {
  private final String name;
  private final Parameter parameter;
  private final TensorMemory memory;
  private final PtNDArray array;
  private final long address;
  private final TensorMemory.Gradient gradient;

  /// @param parameter has an array that [TensorChecks] accepts, with one element or more
  ModelParameter(String name, Parameter parameter, TensorMemory memory) {
    this.name = name;
    this.parameter = parameter;
    this.memory = memory;
    array = (PtNDArray) parameter.getArray();
    address = memory.address(array);
    gradient = memory.gradientOf(array);
  }

  /// The array as a parameter of Panoptim, whose gradient this object finds.
  dev.panoptim.memory.Parameter share() {
    long[] shape = array.getShape().getShape();
    dev.panoptim.memory.Parameter shared =
        dev.panoptim.memory.Parameter.ofAddress(name, array.getShape().size(), address)
            .withShape(shape);
    shared.setGradientSource(this);
    return shared;
  }

  /// @throws IllegalStateException if the array is not the one of the beginning, or its memory has
  ///   moved
  /// @throws IllegalArgumentException if Panoptim cannot use the gradient
  @Override
  public long gradientAddress() {
    requireInPlace();
    if (!parameter.requiresGradient()) {
      return NO_GRADIENT;
    }
    try {
      return gradient.address();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("parameter '%s': %s".formatted(name, e.getMessage()), e);
    }
  }

  /// @throws IllegalStateException if the array is not the one of the beginning, or its memory has
  ///   moved
  @Override
  public void requireInPlace() {
    if (!parameter.isInitialized() || parameter.getArray() != array) {
      throw new IllegalStateException(
          "parameter '%s' has another array than before: load parameters before the first step"
              .formatted(name));
    }
    if (memory.address(array) != address) {
      throw new IllegalStateException(
          "the array of parameter '%s' has moved in memory, as NDArray.set does: use copyTo, which keeps the memory"
              .formatted(name));
    }
  }

  /// @throws UnsupportedOperationException always: DJL never drops a gradient
  @Override
  public void dropGradient() {
    throw new UnsupportedOperationException(
        "the gradient of '%s' cannot be removed, because DJL keeps gradients: use zeroGrad()"
            .formatted(name));
  }
}
