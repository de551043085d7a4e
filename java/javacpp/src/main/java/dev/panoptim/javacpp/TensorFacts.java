package dev.panoptim.javacpp;

import java.util.Arrays;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// What a [TensorReader] finds out about a tensor. The object is filled anew at each step, so that
/// steps allocate nothing.
///
/// Not thread-safe.
final class TensorFacts {
  private static final int USUAL_DIMENSIONS = 4;

  /// Whether there is a tensor. All other facts are unknown if there is none.
  boolean defined;

  /// The reason why libtorch does not tell the facts below; `null` if it does.
  String unreadable;

  /// A value of [ScalarType].
  int elementType;

  /// A value of [DeviceType].
  int deviceType;

  /// The number of a GPU; 0 on the CPU.
  int deviceIndex;

  /// Whether the elements are in row-major order, without gaps.
  boolean contiguous;

  /// The address of the first element; 0 if there is no memory.
  long data;

  private int dimensions;
  private long[] sizes = new long[USUAL_DIMENSIONS];

  /// Begins a new shape.
  void dimensions(int count) {
    dimensions = count;
    if (sizes.length < count) {
      sizes = new long[count];
    }
  }

  void size(int dimension, long value) {
    sizes[dimension] = value;
  }

  /// A copy of the shape.
  long[] shape() {
    return Arrays.copyOf(sizes, dimensions);
  }

  boolean hasShape(long[] shape) {
    return Arrays.equals(sizes, 0, dimensions, shape, 0, shape.length);
  }

  long elements() {
    long product = 1;
    for (int i = 0; i < dimensions; i++) {
      product *= sizes[i];
    }
    return product;
  }

  boolean isFloat32() {
    return elementType == ScalarType.Float.value;
  }

  boolean isOnCpu() {
    return deviceType == DeviceType.CPU.value;
  }

  boolean isOnCuda() {
    return deviceType == DeviceType.CUDA.value;
  }

  /// The type of the elements, as libtorch's `ScalarType` names it.
  String elementTypeName() {
    for (ScalarType each : ScalarType.values()) {
      if (each.value == elementType) {
        return each.name();
      }
    }
    return "type " + elementType;
  }

  /// The device, such as `CUDA 0`.
  String deviceName() {
    for (DeviceType each : DeviceType.values()) {
      if (each.value == deviceType) {
        return isOnCpu() ? each.name() : each.name() + " " + deviceIndex;
      }
    }
    return "device type " + deviceType;
  }
}
