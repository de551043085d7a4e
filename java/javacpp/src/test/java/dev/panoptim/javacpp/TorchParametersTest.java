package dev.panoptim.javacpp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.checkpoint.CheckpointFolder;
import dev.panoptim.checkpoint.Training;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Sgd;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.EmbeddingImpl;
import org.bytedeco.pytorch.EmbeddingOptions;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Tensors of libtorch become parameters, or are refused and stay as they were.
@Tag("natives")
class TorchParametersTest {
  private static final List<String> NAMES =
      List.of(
          "first.weight",
          "first.bias",
          "second.weight",
          "second.bias",
          "third.weight",
          "third.bias");

  private final Random random = new Random(20_261_128);

  private static List<String> names(TorchParameters parameters) {
    return StreamSupport.stream(parameters.spliterator(), false).map(Parameter::name).toList();
  }

  private static Tensor leaf(Tensor tensor) {
    return tensor.set_requires_grad(true);
  }

  private static Tensor ones(long... shape) {
    return torch.ones(shape);
  }

  private static Tensor ones(ScalarType type) {
    return torch.ones(2, 3).to(type);
  }

  private static byte[] bytes(Tensor tensor) {
    byte[] bytes = new byte[(int) tensor.nbytes()];
    new BytePointer(tensor.data_ptr()).get(bytes);
    return bytes;
  }

  @Test
  void namedParametersKeepNamesShapesAndAddresses() {
    TinyNet net = TinyNet.ofSeed(1);
    TorchParameters parameters = TorchParameters.of(net.named_parameters());
    assertEquals(NAMES, names(parameters));
    assertEquals(NAMES, parameters.all().stream().map(Parameter::name).toList());
    Parameter weight = parameters.get("third.weight");
    assertEquals(List.of(4L, 24L), weight.shape());
    assertEquals(net.third.weight().data_ptr().address(), weight.data().address());
    assertTrue(weight.hasGradientSource());
    IllegalArgumentException unknown =
        assertThrows(IllegalArgumentException.class, () -> parameters.get("fourth"));
    assertEquals("there is no parameter 'fourth' among " + NAMES, unknown.getMessage());
  }

  @Test
  void listsVectorsAndMapsHaveOtherNames() {
    TinyNet net = TinyNet.ofSeed(1);
    TensorVector vector = net.parameters();
    List<String> numbers = List.of("0", "1", "2", "3", "4", "5");
    assertEquals(numbers, names(TorchParameters.of(vector)));
    assertEquals(numbers, names(TorchParameters.of(Arrays.asList(vector.get()))));
    Map<String, Tensor> map = new LinkedHashMap<>();
    map.put("b", vector.get(1));
    map.put("a", vector.get(0));
    assertEquals(List.of("b", "a"), names(TorchParameters.of(map)));
  }

  @Test
  void noTensorAtAllIsRefused() {
    for (Supplier<TorchParameters> of :
        List.<Supplier<TorchParameters>>of(
            () -> TorchParameters.of(List.of()),
            () -> TorchParameters.of(Map.of()),
            () -> TorchParameters.of(new TensorVector()),
            () -> TorchParameters.of(new Module().named_parameters()))) {
      IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, of::get);
      assertEquals("there are no tensors, but must be at least one", refused.getMessage());
    }
  }

  @Test
  void nullIsNamed() {
    assertThrows(NullPointerException.class, () -> TorchParameters.of((TensorVector) null));
    NullPointerException refused =
        assertThrows(
            NullPointerException.class,
            () -> TorchParameters.of(Arrays.asList(leaf(ones(2)), null)));
    assertEquals("tensor '1' is null", refused.getMessage());
  }

  private static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of(Named.of("undefined", new Tensor()), "tensor '1' is undefined"),
        Arguments.of(
            Named.of("transposed", leaf(ones(2, 3).t())),
            "tensor '1' of shape [3, 2] is a transposed or sliced view, but must be contiguous"),
        Arguments.of(
            Named.of("every second column", leaf(ones(4, 4).slice(1, optional(0), optional(4), 2))),
            "tensor '1' of shape [4, 2] is a transposed or sliced view, but must be contiguous"),
        Arguments.of(
            Named.of("expanded", leaf(ones(1).expand(5))),
            "tensor '1' of shape [5] is a transposed or sliced view, but must be contiguous"),
        Arguments.of(
            Named.of("bf16", leaf(ones(ScalarType.BFloat16))),
            "elements of tensor '1' have the type BFloat16, but must have Float"),
        Arguments.of(
            Named.of("float64", leaf(ones(ScalarType.Double))),
            "elements of tensor '1' have the type Double, but must have Float"),
        Arguments.of(
            Named.of("int32", ones(ScalarType.Int)),
            "elements of tensor '1' have the type Int, but must have Float"),
        Arguments.of(
            Named.of("complex", leaf(ones(ScalarType.ComplexFloat))),
            "elements of tensor '1' have the type ComplexFloat, but must have Float"),
        Arguments.of(
            Named.of("computed", leaf(ones(2)).mul(leaf(ones(2)))),
            "tensor '1' is the result of a computation, but must be a leaf"),
        Arguments.of(
            Named.of("sparse", leaf(ones(2, 3).to_sparse())),
            "tensor '1' has the layout Sparse, but must be dense"),
        Arguments.of(
            Named.of("meta", leaf(ones(2, 3).to(new Device("meta"), ScalarType.Float))),
            "tensor '1' is on the device Meta 0, but must be on CPU or CUDA"));
  }

  private static LongOptional optional(long value) {
    return new LongOptional(value);
  }

  @ParameterizedTest
  @MethodSource("refused")
  void otherTensorsAreRefusedAndStayAsTheyWere(Tensor tensor, String message) {
    Tensor good = leaf(ones(3));
    boolean readable = tensor.defined() && tensor.has_storage() && tensor.is_cpu();
    byte[] before = readable ? bytes(tensor) : new byte[0];
    for (boolean direct : List.of(true, false)) {
      Map<String, Tensor> copies = new LinkedHashMap<>();
      copies.put("0", new Tensor(good));
      copies.put("1", new Tensor(tensor));
      IllegalArgumentException refused =
          assertThrows(
              IllegalArgumentException.class, () -> TorchParameters.ofCopies(copies, direct));
      assertTrue(refused.getMessage().startsWith(message), refused.getMessage());
    }
    assertThrows(IllegalArgumentException.class, () -> TorchParameters.of(List.of(good, tensor)));
    assertEquals(-1, Arrays.mismatch(before, readable ? bytes(tensor) : new byte[0]));
  }

  @Test
  void aTensorOfTwoModulesIsOneParameter() {
    Module module = new Module();
    LinearImpl first = new LinearImpl(3, 3);
    LinearImpl second = new LinearImpl(3, 3);
    second.weight(first.weight());
    second.register_parameter("tied", first.weight());
    module.register_module("first", first);
    module.register_module("second", second);
    TorchParameters parameters = TorchParameters.of(module.named_parameters());
    assertEquals(
        List.of("first.weight", "first.bias", "second.weight", "second.bias"), names(parameters));
  }

  @Test
  void tensorsThatShareMemoryAreRefusedByTheOptimizer() {
    Tensor whole = leaf(ones(6));
    Tensor part = leaf(whole.detach().slice(0, optional(2), optional(4), 1));
    TorchParameters parameters = TorchParameters.of(List.of(whole, part));
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> Sgd.builder(parameters).build());
    assertTrue(refused.getMessage().contains("'0'"), refused.getMessage());
    assertTrue(refused.getMessage().contains("'1'"), refused.getMessage());
  }

  @Test
  void scalarsAndEmptyTensorsArePossible() {
    Tensor scalar = leaf(torch.scalar_tensor(new Scalar(2f)));
    Tensor empty = leaf(ones(0, 3));
    TorchParameters parameters = TorchParameters.of(List.of(scalar, empty));
    assertEquals(List.of(), parameters.get("0").shape());
    assertEquals(List.of(0L, 3L), parameters.get("1").shape());
    try (Optimizer optimizer = Sgd.builder(parameters).learningRate(0.5).build()) {
      scalar.mul(scalar).add(empty.sum()).backward();
      optimizer.step();
      assertEquals(0, scalar.item_float());
      optimizer.zeroGrad(true);
      assertFalse(empty.grad().defined());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void frozenTensorsAreSkippedUntilTheyLearn(boolean direct) {
    TinyNet net = TinyNet.ofSeed(1);
    net.first.weight().set_requires_grad(false);
    byte[] before = bytes(net.first.weight());
    TorchParameters parameters = ofReader(net, direct);
    Parameter frozen = parameters.get("first.weight");
    try (Optimizer optimizer = Sgd.builder(parameters).learningRate(0.1).build()) {
      net.loss(Batch.of(random, 8)).backward();
      optimizer.step();
      assertEquals(-1, Arrays.mismatch(before, bytes(net.first.weight())));
      assertEquals(0, optimizer.stepCount(frozen));
      assertEquals(1, optimizer.stepCount(parameters.get("first.bias")));
      net.first.weight().set_requires_grad(true);
      net.loss(Batch.of(random, 8)).backward();
      optimizer.step();
      assertFalse(Arrays.equals(before, bytes(net.first.weight())));
      assertEquals(1, optimizer.stepCount(frozen));
    }
  }

  private static TorchParameters ofReader(TinyNet net, boolean direct) {
    Map<String, Tensor> copies = new LinkedHashMap<>();
    TensorVector tensors = net.parameters();
    for (int i = 0; i < NAMES.size(); i++) {
      copies.put(NAMES.get(i), new Tensor(tensors.get(i)));
    }
    return TorchParameters.ofCopies(copies, direct);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void tensorsThatMoveAreNoticedBeforeAnythingChanges(boolean direct, @TempDir Path folder) {
    TinyNet net = TinyNet.ofSeed(1);
    try (Optimizer optimizer = Sgd.builder(ofReader(net, direct)).learningRate(0.1).build()) {
      net.loss(Batch.of(random, 8)).backward();
      optimizer.step();
      Tensor weight = net.second.weight();
      weight.set_data(weight.detach().clone());
      byte[] first = bytes(net.first.weight());
      byte[] second = bytes(weight);
      IllegalStateException refused = assertThrows(IllegalStateException.class, optimizer::step);
      assertTrue(
          refused.getMessage().startsWith("tensor 'second.weight' has moved from address 0x"),
          refused.getMessage());
      // A checkpoint would read or write memory that libtorch has freed.
      CheckpointFolder checkpoints = CheckpointFolder.of(folder, 1);
      Training training = Training.of(optimizer);
      refused =
          assertThrows(IllegalStateException.class, () -> checkpoints.save(training, 1, Map.of()));
      assertTrue(refused.getMessage().contains("has moved"), refused.getMessage());
      assertEquals(-1, Arrays.mismatch(first, bytes(net.first.weight())));
      assertEquals(-1, Arrays.mismatch(second, bytes(weight)));
    }
  }

  private static Stream<Arguments> refusedGradients() {
    return Stream.of(
        Arguments.of(
            Named.of("float64", ones(24, 24).to(ScalarType.Double)),
            "elements of the gradient of 'second.weight' have the type Double"),
        Arguments.of(
            Named.of("other shape", ones(576)),
            "gradient of 'second.weight' has the shape [576], but must have [24, 24]"),
        Arguments.of(
            Named.of("transposed", torch.randn(24, 24).t()),
            "gradient of 'second.weight' is a transposed or expanded view"),
        Arguments.of(
            Named.of("sparse", ones(24, 24).to_sparse()),
            "gradient of 'second.weight' has the layout Sparse, but must be dense"),
        Arguments.of(
            Named.of("meta", ones(24, 24).to(new Device("meta"), ScalarType.Float)),
            "gradient of 'second.weight' is on the device Meta 0"));
  }

  @ParameterizedTest
  @MethodSource("refusedGradients")
  void gradientsThatDoNotFitAreNoticedBeforeAnythingChanges(Tensor gradient, String message) {
    for (boolean direct : List.of(true, false)) {
      TinyNet net = TinyNet.ofSeed(1);
      try (Optimizer optimizer = Sgd.builder(ofReader(net, direct)).learningRate(0.1).build()) {
        net.loss(Batch.of(random, 8)).backward();
        byte[] first = bytes(net.first.weight());
        byte[] second = bytes(net.second.weight());
        net.second.weight().mutable_grad().put(gradient);
        IllegalStateException refused = assertThrows(IllegalStateException.class, optimizer::step);
        assertTrue(refused.getMessage().startsWith(message), refused.getMessage());
        assertEquals(-1, Arrays.mismatch(first, bytes(net.first.weight())));
        assertEquals(-1, Arrays.mismatch(second, bytes(net.second.weight())));
        optimizer.zeroGrad(true);
        assertFalse(net.second.weight().grad().defined());
        net.loss(Batch.of(random, 8)).backward();
        optimizer.step();
        assertFalse(Arrays.equals(second, bytes(net.second.weight())));
      }
    }
  }

  @Test
  void theSparseGradientOfAnEmbeddingIsRefused() {
    EmbeddingOptions options = new EmbeddingOptions(10, 3);
    options.sparse().put(true);
    EmbeddingImpl embedding = new EmbeddingImpl(options);
    TorchParameters parameters = TorchParameters.of(embedding.named_parameters());
    try (Optimizer optimizer = Sgd.builder(parameters).build()) {
      embedding.forward(Tensor.create(1L, 5L)).sum().backward();
      IllegalStateException refused = assertThrows(IllegalStateException.class, optimizer::step);
      assertEquals(
          "gradient of 'weight' has the layout Sparse, but must be dense", refused.getMessage());
    }
  }
}
