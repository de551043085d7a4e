package dev.panoptim.javacpp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.AdamW;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Tensors without libtorch: readers that say what a test needs.
class TorchTensorTest {
  private static final long ROWS = 3;
  private static final long COLUMNS = 5;
  private static final long SIZE = ROWS * COLUMNS;

  @AutoClose private final Arena arena = Arena.ofShared();

  /// A variable of libtorch whose facts a test sets.
  private static final class FakeReader implements TensorReader {
    Consumer<TensorFacts> facts;
    long data;

    FakeReader(Consumer<TensorFacts> facts, long data) {
      this.facts = facts;
      this.data = data;
    }

    @Override
    public long data() {
      return data;
    }

    @Override
    public void read(TensorFacts target) {
      target.unreadable = null;
      target.data = data;
      facts.accept(target);
    }

    @Override
    public void reset() {
      facts = UNDEFINED;
    }
  }

  private static final Consumer<TensorFacts> UNDEFINED = facts -> facts.defined = false;

  private static void matrix(TensorFacts facts) {
    facts.defined = true;
    facts.elementType = ScalarType.Float.value;
    facts.deviceType = DeviceType.CPU.value;
    facts.deviceIndex = 0;
    facts.contiguous = true;
    facts.dimensions(2);
    facts.size(0, ROWS);
    facts.size(1, COLUMNS);
  }

  private static Consumer<TensorFacts> matrix(Consumer<TensorFacts> change) {
    return ((Consumer<TensorFacts>) TorchTensorTest::matrix).andThen(change);
  }

  private MemorySegment floats() {
    MemorySegment floats = arena.allocate(ValueLayout.JAVA_FLOAT, SIZE);
    for (long i = 0; i < SIZE; i++) {
      floats.setAtIndex(ValueLayout.JAVA_FLOAT, i, i + 1);
    }
    return floats;
  }

  private FakeReader reader() {
    return new FakeReader(TorchTensorTest::matrix, floats().address());
  }

  private static Stream<Arguments> refusedTensors() {
    return Stream.of(
        Arguments.of(UNDEFINED, "tensor 'w' is undefined"),
        Arguments.of(matrix(f -> f.unreadable = "has no memory"), "tensor 'w' has no memory"),
        Arguments.of(
            matrix(f -> f.elementType = ScalarType.BFloat16.value),
            "elements of tensor 'w' have the type BFloat16, but must have Float"),
        Arguments.of(
            matrix(f -> f.elementType = ScalarType.Double.value),
            "elements of tensor 'w' have the type Double, but must have Float"),
        Arguments.of(
            matrix(f -> f.elementType = ScalarType.Int.value),
            "elements of tensor 'w' have the type Int, but must have Float"),
        Arguments.of(
            matrix(f -> f.elementType = 99),
            "elements of tensor 'w' have the type type 99, but must have Float"),
        Arguments.of(
            matrix(f -> f.contiguous = false),
            "tensor 'w' of shape [3, 5] is a transposed or sliced view"),
        Arguments.of(
            matrix(f -> f.deviceType = DeviceType.MPS.value),
            "tensor 'w' is on the device MPS 0, but must be on CPU or CUDA"),
        Arguments.of(
            matrix(f -> f.deviceType = 99),
            "tensor 'w' is on the device device type 99, but must be on CPU or CUDA"),
        Arguments.of(matrix(f -> f.data = 0), "tensor 'w' has no memory"));
  }

  @ParameterizedTest
  @MethodSource("refusedTensors")
  void tensorsThatCannotBeUpdatedAreRefused(Consumer<TensorFacts> facts, String message) {
    FakeReader tensor = new FakeReader(facts, floats().address());
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> new TorchTensor("w", tensor, reader()));
    assertTrue(refused.getMessage().startsWith(message), refused.getMessage());
  }

  private static Stream<Arguments> refusedGradients() {
    return Stream.of(
        Arguments.of(
            matrix(f -> f.unreadable = "has the layout Sparse, but must be dense"),
            "gradient of 'w' has the layout Sparse, but must be dense"),
        Arguments.of(
            matrix(f -> f.elementType = ScalarType.Half.value),
            "elements of the gradient of 'w' have the type Half, but must have Float"),
        Arguments.of(
            matrix(f -> f.contiguous = false),
            "gradient of 'w' is a transposed or expanded view, but must be contiguous"),
        Arguments.of(
            matrix(f -> f.size(1, COLUMNS - 1)),
            "gradient of 'w' has the shape [3, 4], but must have [3, 5]"),
        Arguments.of(
            matrix(f -> f.dimensions(1)),
            "gradient of 'w' has the shape [3], but must have [3, 5]"),
        Arguments.of(
            matrix(f -> f.deviceType = DeviceType.CUDA.value),
            "gradient of 'w' is on the device CUDA 0, but must be on the tensor's"),
        Arguments.of(matrix(f -> f.data = 0), "gradient of 'w' has no memory"));
  }

  @ParameterizedTest
  @MethodSource("refusedGradients")
  void gradientsThatDoNotFitAreRefusedBeforeAnythingChanges(
      Consumer<TensorFacts> facts, String message) {
    FakeReader good = reader();
    FakeReader tensor = reader();
    FakeReader gradient = new FakeReader(facts, floats().address());
    List<Parameter> parameters =
        List.of(
            new TorchTensor("first", good, reader()).parameter(),
            new TorchTensor("w", tensor, gradient).parameter());
    try (var optimizer = AdamW.builder(parameters).build()) {
      IllegalStateException refused = assertThrows(IllegalStateException.class, optimizer::step);
      assertTrue(refused.getMessage().startsWith(message), refused.getMessage());
      parameters.forEach(each -> assertEquals(-1, each.data().mismatch(floats()), each.name()));
      parameters.forEach(each -> assertEquals(0, optimizer.stepCount(each), each.name()));
      gradient.facts = TorchTensorTest::matrix;
      optimizer.step();
      parameters.forEach(each -> assertEquals(1, optimizer.stepCount(each), each.name()));
    }
  }

  @Test
  void aTensorThatHasMovedIsRefused() {
    FakeReader tensor = reader();
    Parameter parameter = new TorchTensor("w", tensor, reader()).parameter();
    long before = tensor.data;
    try (var optimizer = AdamW.builder(List.of(parameter)).build()) {
      tensor.data = floats().address();
      IllegalStateException refused = assertThrows(IllegalStateException.class, optimizer::step);
      assertTrue(refused.getMessage().startsWith("tensor 'w' has moved from address 0x"));
      assertEquals(-1, parameter.data().mismatch(floats()));
      tensor.data = before;
      optimizer.step();
      assertEquals(1, optimizer.stepCount(parameter));
    }
  }

  @Test
  void aGradientMayComeMoveAndGo() {
    FakeReader gradient = new FakeReader(UNDEFINED, 0);
    Parameter parameter = new TorchTensor("w", reader(), gradient).parameter();
    try (var optimizer = AdamW.builder(List.of(parameter)).build()) {
      optimizer.step();
      assertEquals(0, optimizer.stepCount(parameter));
      for (int i = 1; i <= 3; i++) {
        gradient.facts = TorchTensorTest::matrix;
        gradient.data = floats().address();
        optimizer.step();
        assertEquals(i, optimizer.stepCount(parameter));
        assertEquals(gradient.data, parameter.gradient().address());
      }
      optimizer.zeroGrad(true);
      assertEquals(UNDEFINED, gradient.facts);
      optimizer.step();
      assertFalse(parameter.hasGradient());
      assertEquals(3, optimizer.stepCount(parameter));
    }
  }

  @Test
  void zeroesAreWrittenWhereTheGradientIsNow() {
    MemorySegment before = floats();
    MemorySegment now = floats();
    FakeReader gradient = new FakeReader(TorchTensorTest::matrix, before.address());
    Parameter parameter = new TorchTensor("w", reader(), gradient).parameter();
    try (var optimizer = AdamW.builder(List.of(parameter)).build()) {
      optimizer.step();
      gradient.data = now.address();
      optimizer.zeroGrad();
    }
    assertEquals(-1, before.mismatch(floats()));
    assertEquals(-1, now.mismatch(arena.allocate(now.byteSize())));
  }

  @Test
  void aTensorOnAGpuIsRefusedWithTheReasonOrUpdatedThere() {
    Consumer<TensorFacts> onGpu =
        matrix(
            f -> {
              f.deviceType = DeviceType.CUDA.value;
              f.deviceIndex = 0;
            });
    if (Device.cudaCount() == 0) {
      CudaException refused =
          assertThrows(
              CudaException.class,
              () -> new TorchTensor("w", new FakeReader(onGpu, 4096), reader()));
      assertTrue(refused.getMessage().contains(Device.whyNoCuda()), refused.getMessage());
      return;
    }
    Device gpu = Device.cuda(0);
    long bytes = SIZE * Float.BYTES;
    MemorySegment data = gpu.allocate(bytes, arena);
    MemorySegment gradient = gpu.allocate(bytes, arena);
    MemorySegment moved = gpu.allocate(bytes, arena);
    gpu.upload(floats(), data);
    gpu.upload(floats(), gradient);
    gpu.upload(floats(), moved);
    FakeReader gradients = new FakeReader(onGpu, gradient.address());
    Parameter there =
        new TorchTensor("w", new FakeReader(onGpu, data.address()), gradients).parameter();
    Parameter here = new TorchTensor("w", reader(), reader()).parameter();
    assertEquals(gpu, there.device());
    try (var optimizer = AdamW.builder(List.of(there)).build();
        var onCpu = AdamW.builder(List.of(here)).build()) {
      optimizer.step();
      onCpu.step();
      gradients.data = moved.address();
      optimizer.step();
      onCpu.step();
      MemorySegment result = arena.allocate(bytes);
      optimizer.await();
      there.copyDataTo(result);
      assertEquals(-1, result.mismatch(here.data()));
      gradients.facts = TorchTensorTest::matrix;
      assertThrows(IllegalStateException.class, optimizer::step);
    }
  }

  @Test
  void aTensorWithoutElementsIsNotUpdated() {
    FakeReader empty = new FakeReader(matrix(f -> f.size(1, 0)), 0);
    Parameter parameter = new TorchTensor("w", empty, empty).parameter();
    assertEquals(List.of(ROWS, 0L), parameter.shape());
    try (var optimizer = AdamW.builder(List.of(parameter)).build()) {
      optimizer.step();
      assertEquals(0, optimizer.stepCount(parameter));
    }
  }

  @Test
  void aShapeOfManyDimensionsIsKept() {
    Consumer<TensorFacts> facts =
        matrix(
            f -> {
              f.dimensions(6);
              for (int i = 0; i < 6; i++) {
                f.size(i, i == 1 ? SIZE : 1);
              }
            });
    Parameter parameter =
        new TorchTensor("w", new FakeReader(facts, floats().address()), reader()).parameter();
    assertEquals(List.of(1L, SIZE, 1L, 1L, 1L, 1L), parameter.shape());
    assertEquals(SIZE, parameter.size());
  }
}
