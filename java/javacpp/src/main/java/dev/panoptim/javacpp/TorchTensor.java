package dev.panoptim.javacpp;

import dev.panoptim.device.Device;
import dev.panoptim.memory.GradientSource;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// A tensor of libtorch as a parameter. Steps ask for its gradient, which libtorch may have
/// replaced, removed or kept since the step before.
///
/// Not thread-safe, as [Parameter].
final class TorchTensor implements GradientSource {
  private final String name;
  private final TensorReader tensor;
  private final TensorReader gradient;
  private final TensorFacts facts = new TensorFacts();
  private final long[] shape;
  private final long elements;
  private final long data;
  private final int deviceType;
  private final int deviceIndex;
  private final Parameter parameter;

  /// @param name the name of the parameter
  /// @param tensor the tensor itself
  /// @param gradient the place where libtorch keeps the gradient
  /// @throws IllegalArgumentException if no optimizer can update the tensor
  TorchTensor(String name, TensorReader tensor, TensorReader gradient) {
    this.name = name;
    this.tensor = tensor;
    this.gradient = gradient;
    tensor.read(facts);
    requireUpdatable();
    shape = facts.shape();
    elements = facts.elements();
    data = facts.data;
    deviceType = facts.deviceType;
    deviceIndex = facts.deviceIndex;
    parameter = onItsDevice().withShape(shape);
    parameter.setGradientSource(this);
  }

  private void requireUpdatable() {
    if (!facts.defined) {
      throw new IllegalArgumentException("tensor '" + name + "' is undefined");
    }
    if (facts.unreadable != null) {
      throw new IllegalArgumentException("tensor '" + name + "' " + facts.unreadable);
    }
    if (!facts.isOnCpu() && !facts.isOnCuda()) {
      throw new IllegalArgumentException(
          "tensor '%s' is on the device %s, but must be on CPU or CUDA"
              .formatted(name, facts.deviceName()));
    }
    if (!facts.isFloat32()) {
      throw new IllegalArgumentException(
          "elements of tensor '%s' have the type %s, but must have Float, which is float32"
              .formatted(name, facts.elementTypeName()));
    }
    if (!facts.contiguous) {
      throw new IllegalArgumentException(
          ("tensor '%s' of shape %s is a transposed or sliced view, but must be contiguous:"
                  + " use a tensor that contiguous() returns as the parameter")
              .formatted(name, Arrays.toString(facts.shape())));
    }
    if (facts.data == 0 && facts.elements() > 0) {
      throw new IllegalArgumentException("tensor '" + name + "' has no memory");
    }
  }

  private Parameter onItsDevice() {
    return facts.isOnCpu()
        ? Parameter.ofAddress(name, elements, data)
        : Parameter.onDevice(
            Device.cuda(deviceIndex), name, elements, MemorySegment.ofAddress(data));
  }

  Parameter parameter() {
    return parameter;
  }

  /// The address of the gradient; 0 if there is none, or the tensor has no elements.
  ///
  /// @throws IllegalStateException if libtorch has given the tensor other memory since the
  ///   parameter was made, or the gradient does not fit the tensor
  @Override
  public long gradientAddress() {
    if (elements == 0) {
      return 0;
    }
    requireInPlace();
    gradient.read(facts);
    if (!facts.defined) {
      return 0;
    }
    requireFittingGradient();
    return facts.data;
  }

  /// Synchronized, because the reader of the tensor has one place for results.
  ///
  /// @throws IllegalStateException if libtorch has given the tensor other memory since the
  ///   parameter was made
  @Override
  public synchronized void requireInPlace() {
    long now = tensor.data();
    if (now != data) {
      throw new IllegalStateException(
          ("tensor '%s' has moved from address 0x%x to 0x%x, but must stay where it was when"
                  + " TorchParameters.of() was called: load a module, or move it to another device"
                  + " or type, before that")
              .formatted(name, data, now));
    }
  }

  private void requireFittingGradient() {
    if (facts.unreadable != null) {
      throw new IllegalStateException("gradient of '" + name + "' " + facts.unreadable);
    }
    if (facts.deviceType != deviceType || facts.deviceIndex != deviceIndex) {
      throw new IllegalStateException(
          "gradient of '%s' is on the device %s, but must be on the tensor's"
              .formatted(name, facts.deviceName()));
    }
    if (!facts.isFloat32()) {
      throw new IllegalStateException(
          "elements of the gradient of '%s' have the type %s, but must have Float"
              .formatted(name, facts.elementTypeName()));
    }
    if (!facts.hasShape(shape)) {
      throw new IllegalStateException(
          "gradient of '%s' has the shape %s, but must have %s"
              .formatted(name, Arrays.toString(facts.shape()), Arrays.toString(shape)));
    }
    if (!facts.contiguous) {
      throw new IllegalStateException(
          "gradient of '%s' is a transposed or expanded view, but must be contiguous"
              .formatted(name));
    }
    if (facts.data == 0) {
      throw new IllegalStateException("gradient of '" + name + "' has no memory");
    }
  }

  @Override
  public void dropGradient() {
    gradient.reset();
  }
}
