package dev.panoptim.javacpp;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.Layout;

/// Reads a tensor by the functions of [Libtorch].
final class LibtorchReader implements TensorReader {
  /// The memory of the process, for arrays that libtorch returns by their addresses.
  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final int UNDEFINED = undefinedType();

  private final Tensor tensor;
  private final long address;
  private final MemorySegment result;

  /// @param tensor kept reachable; its C++ object must live as long as it
  /// @param result 8 bytes for the results of calls
  LibtorchReader(Tensor tensor, MemorySegment result) {
    this.tensor = tensor;
    this.address = tensor.address();
    this.result = result;
  }

  /// The type of the elements that libtorch gives for an undefined tensor. It is the last of the
  /// types and so differs between versions.
  private static int undefinedType() {
    try (Tensor undefined = new Tensor()) {
      return undefined.scalar_type().value;
    }
  }

  @Override
  public long data() {
    require(Libtorch.call(Libtorch.DATA, address, result));
    return result.get(JAVA_LONG, 0);
  }

  @Override
  public void read(TensorFacts facts) {
    facts.unreadable = null;
    require(Libtorch.call(Libtorch.ELEMENT_TYPE, address, result));
    facts.elementType = result.get(JAVA_INT, 0);
    facts.defined = facts.elementType != UNDEFINED;
    if (!facts.defined) {
      return;
    }
    // First: sparse tensors have no address and no strides.
    if (isSparse() || Libtorch.call(Libtorch.DATA, address, result) != Libtorch.DONE) {
      facts.unreadable = JavaCppReader.whyUnreadable(tensor);
      if (facts.unreadable == null) {
        facts.unreadable = "has an unknown address";
      }
      return;
    }
    facts.data = result.get(JAVA_LONG, 0);
    require(Libtorch.call(Libtorch.DEVICE_TYPE, address, result));
    facts.deviceType = result.get(JAVA_INT, 0);
    facts.deviceIndex = facts.isOnCpu() ? 0 : deviceIndex();
    readShape(facts);
  }

  /// Whether libtorch tells that the tensor is not dense.
  private boolean isSparse() {
    if (Libtorch.LAYOUT == null) {
      return false;
    }
    require(Libtorch.call(Libtorch.LAYOUT, address, result));
    return result.get(JAVA_INT, 0) != Layout.Strided.value;
  }

  private int deviceIndex() {
    require(Libtorch.call(Libtorch.DEVICE_INDEX, address, result));
    return Math.max(0, result.get(JAVA_INT, 0));
  }

  private void readShape(TensorFacts facts) {
    require(Libtorch.call(Libtorch.DIMENSIONS, address, result));
    int dimensions = (int) result.get(JAVA_LONG, 0);
    require(Libtorch.call(Libtorch.SIZES, address, result));
    long sizes = result.get(JAVA_LONG, 0);
    require(Libtorch.call(Libtorch.STRIDES, address, result));
    long strides = result.get(JAVA_LONG, 0);
    facts.dimensions(dimensions);
    boolean contiguous = true;
    long elements = 1;
    for (int i = dimensions - 1; i >= 0; i--) {
      long size = MEMORY.get(JAVA_LONG, sizes + (long) i * Long.BYTES);
      facts.size(i, size);
      // The stride of a dimension with a single element has no meaning.
      contiguous &= size == 1 || MEMORY.get(JAVA_LONG, strides + (long) i * Long.BYTES) == elements;
      elements *= size;
    }
    // A tensor without elements has no gaps.
    facts.contiguous = contiguous || elements == 0;
  }

  private static void require(int code) {
    if (code != Libtorch.DONE) {
      throw new IllegalStateException(
          "a function of libtorch has failed with the code " + code + "; see standard error");
    }
  }

  @Override
  public void reset() {
    tensor.reset();
  }
}
