package dev.panoptim.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.Trainer;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.Optimizer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What cannot be trained is refused in a sentence, and nothing has changed then.
@Tag("natives")
class RefusalsTest {
  private static final Function<List<dev.panoptim.memory.Parameter>, Optimizer> ADAM =
      parameters -> Adam.builder(parameters).learningRate(0.01).build();

  private NDManager manager;
  private ArrayBlock block;
  private Model model;

  @BeforeEach
  void createModel() {
    manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
    block = new ArrayBlock(manager.randomNormal(new Shape(TinyModel.CLASSES, TinyModel.INPUTS)));
    model = TinyModel.of(block);
  }

  @AfterEach
  void close() {
    model.close();
    manager.close();
  }

  private NDArray ones(DataType type) {
    return manager.ones(new Shape(2, 3)).toType(type, true);
  }

  private PanoptimTrainer trainer() {
    return PanoptimTrainer.of(model, TinyModel.config(), ADAM);
  }

  /// The message of a refusal at `initialize`, which leaves all parameters as they are.
  private String refusal() {
    String before = TinyModel.bits(block);
    String message;
    try (Trainer trainer = trainer()) {
      message =
          assertThrows(IllegalArgumentException.class, () -> trainer.initialize(TinyModel.inputs()))
              .getMessage();
      assertEquals(
          message, assertThrows(IllegalArgumentException.class, trainer::step).getMessage());
    }
    assertEquals(before, TinyModel.bits(block));
    return message;
  }

  /// DJL aborts the process when it makes an array of bfloat16: [TensorChecksTest] has that type.
  @ParameterizedTest
  @EnumSource(names = {"FLOAT64", "FLOAT16"})
  void otherTypes(DataType type) {
    block.add(ArrayBlock.parameter("other", ones(type), true));
    float[] before = weight();
    try (Trainer trainer = trainer()) {
      assertEquals(
          "parameter 'other' has the data type " + type + ", but must have float32",
          assertThrows(IllegalArgumentException.class, () -> trainer.initialize(TinyModel.inputs()))
              .getMessage());
      assertThrows(IllegalArgumentException.class, trainer::step);
    }
    assertArrayEquals(before, weight());
  }

  private float[] weight() {
    return block.getParameters().valueAt(0).getArray().toFloatArray();
  }

  @Test
  void aTransposedArray() {
    block.add(ArrayBlock.parameter("turned", ones(DataType.FLOAT32).transpose(), true));
    assertEquals(
        "parameter 'turned' is not contiguous, like a transposed array, but must be: set it to a"
            + " duplicate()",
        refusal());
  }

  @Test
  void aTransposedArrayWithoutLibtorchsFunctions() {
    block.add(ArrayBlock.parameter("turned", ones(DataType.FLOAT32).transpose(), true));
    try (Trainer trainer =
        PanoptimTrainer.of(model, TinyModel.config(), ADAM, _ -> new BufferMemory())) {
      assertTrue(
          assertThrows(IllegalArgumentException.class, () -> trainer.initialize(TinyModel.inputs()))
              .getMessage()
              .contains("is not contiguous"));
    }
  }

  @Test
  void severalAtOnce() {
    block.add(ArrayBlock.parameter("turned", ones(DataType.FLOAT32).transpose(), true));
    block.add(ArrayBlock.parameter("double", ones(DataType.FLOAT64), true));
    String before = refusalOfTwo();
    assertTrue(before.contains("'turned'") && before.contains("'double'"), before);
  }

  private String refusalOfTwo() {
    try (Trainer trainer = trainer()) {
      return assertThrows(
              IllegalArgumentException.class, () -> trainer.initialize(TinyModel.inputs()))
          .getMessage();
    }
  }

  @Test
  void twoParametersInTheSameMemory() {
    NDArray shared = ones(DataType.FLOAT32);
    block.add(ArrayBlock.parameter("one", shared, true));
    block.add(ArrayBlock.parameter("two", shared.reshape(3, 2), true));
    try (Trainer trainer = trainer()) {
      trainer.initialize(TinyModel.inputs());
      TinyModel.backward(trainer, new Random(1));
      String before = TinyModel.bits(block);
      String message = assertThrows(IllegalArgumentException.class, trainer::step).getMessage();
      assertTrue(message.contains("'one'") && message.contains("'two'"), message);
      assertEquals(before, TinyModel.bits(block));
    }
  }

  @Test
  void frozenParametersOfOtherTypesAreLeftAlone() {
    Parameter counter = ArrayBlock.parameter("counter", ones(DataType.INT32), false);
    Parameter wide = ArrayBlock.parameter("wide", ones(DataType.FLOAT64), false);
    block.add(counter).add(wide);
    try (PanoptimTrainer trainer = trainer()) {
      trainer.initialize(TinyModel.inputs());
      TinyModel.train(trainer, new Random(1), 2);
      assertEquals(1, trainer.optimizer().paramGroups().getFirst().parameters().size());
      assertEquals(6, counter.getArray().toType(DataType.FLOAT32, true).sum().getFloat());
      wide.freeze(false);
      TinyModel.backward(trainer, new Random(2));
      float[] before = weight();
      assertEquals(
          "parameter 'wide' is no longer frozen, but has the data type float64, but must have"
              + " float32",
          assertThrows(IllegalArgumentException.class, trainer::step).getMessage());
      assertArrayEquals(before, weight());
    }
  }

  @Test
  void emptyParametersAreLeftOut() {
    block.add(ArrayBlock.parameter("empty", manager.create(new Shape(0, 3)), true));
    try (PanoptimTrainer trainer = trainer()) {
      trainer.initialize(TinyModel.inputs());
      String before = TinyModel.bits(block);
      TinyModel.train(trainer, new Random(1), 1);
      assertEquals(1, trainer.optimizer().paramGroups().getFirst().parameters().size());
      assertNotEquals(before, TinyModel.bits(block));
    }
  }

  @Test
  void arraysThatMove() {
    try (Trainer trainer = trainer()) {
      trainer.initialize(TinyModel.inputs());
      TinyModel.train(trainer, new Random(1), 1);
      NDArray weight = block.getParameters().valueAt(0).getArray();
      TinyModel.backward(trainer, new Random(2));
      float[] values = weight.toFloatArray();
      ByteBuffer memory =
          ByteBuffer.allocateDirect(values.length * Float.BYTES).order(ByteOrder.nativeOrder());
      memory.asFloatBuffer().put(values);
      weight.set(memory);
      String before = TinyModel.bits(block);
      assertEquals(
          "the array of parameter 'weight' has moved in memory, as NDArray.set does: use copyTo,"
              + " which keeps the memory",
          assertThrows(IllegalStateException.class, trainer::step).getMessage());
      // A checkpoint would read or write memory that PyTorch has freed. A frozen parameter too.
      block.getParameters().valueAt(0).freeze(true);
      var shared =
          ((PanoptimTrainer) trainer).optimizer().paramGroups().getFirst().parameters().getFirst();
      assertThrows(IllegalStateException.class, shared::requireInPlace);
      block.getParameters().valueAt(0).freeze(false);
      assertEquals(before, TinyModel.bits(block));
    }
  }

  @Test
  void arraysThatAreReplaced() {
    Parameter other = ArrayBlock.parameter("other", ones(DataType.FLOAT32), true);
    block.add(other);
    try (Trainer trainer = trainer()) {
      trainer.initialize(TinyModel.inputs());
      TinyModel.train(trainer, new Random(1), 1);
      TinyModel.backward(trainer, new Random(2));
      float[] before = weight();
      NDArray array = other.getArray();
      other.close();
      other.setShape(array.getShape());
      other.initialize(manager, DataType.FLOAT32);
      assertTrue(
          assertThrows(IllegalStateException.class, trainer::step)
              .getMessage()
              .startsWith("parameter 'other' has another array than before"));
      assertArrayEquals(before, weight());
    }
  }

  /// Until there have been gradients once: then zeros are a step as any other.
  @Test
  void aFirstStepWithoutGradients() {
    try (Trainer trainer = trainer()) {
      trainer.initialize(TinyModel.inputs());
      float[] before = weight();
      String reason =
          "all gradients are 0: call backward of the gradient collector before the first step";
      assertEquals(reason, assertThrows(IllegalStateException.class, trainer::step).getMessage());
      TinyModel.backward(trainer, new Random(2));
      try (NDArray gradient = block.getParameters().valueAt(0).getArray().getGradient();
          NDArray copy = gradient.duplicate()) {
        gradient.muli(0);
        assertEquals(reason, assertThrows(IllegalStateException.class, trainer::step).getMessage());
        assertArrayEquals(before, weight());
        copy.copyTo(gradient);
      }
      trainer.step();
      float[] after = weight();
      assertFalse(Arrays.equals(before, after));
      trainer.step();
      assertFalse(Arrays.equals(after, weight()), "momentum goes on");
    }
  }

  @Test
  void aStepBeforeTheModelIsInitialized() {
    try (Model fresh = TinyModel.mlp();
        Trainer trainer = PanoptimTrainer.of(fresh, TinyModel.config(), ADAM)) {
      assertTrue(
          assertThrows(IllegalStateException.class, trainer::step)
              .getMessage()
              .endsWith("has no array yet: call initialize of the trainer first"));
    }
  }

  @Test
  void devicesAndOptimizersOfTheConfig() {
    String before = TinyModel.bits(block);
    block.freezeParameters(true);
    for (var config :
        List.of(
            TinyModel.config().optDevices(new Device[] {Device.gpu()}),
            TinyModel.config()
                .optOptimizer(ai.djl.training.optimizer.Optimizer.adam().optBeta1(0.5f).build()))) {
      assertThrows(IllegalArgumentException.class, () -> PanoptimTrainer.of(model, config, ADAM));
    }
    assertEquals(before, TinyModel.bits(block));
  }

  @Test
  void aModelWithoutABlock() {
    try (Model none = Model.newInstance("none", Device.cpu(), "PyTorch")) {
      assertThrows(
          IllegalStateException.class, () -> PanoptimTrainer.of(none, TinyModel.config(), ADAM));
    }
  }

  @Test
  void aFunctionThatReturnsNothing() {
    try (Trainer trainer = PanoptimTrainer.of(model, TinyModel.config(), _ -> null)) {
      trainer.initialize(TinyModel.inputs());
      assertThrows(NullPointerException.class, trainer::step);
    }
  }

  @Test
  void gradientsCannotBeRemoved() {
    try (PanoptimTrainer trainer = trainer()) {
      trainer.initialize(TinyModel.inputs());
      TinyModel.train(trainer, new Random(1), 1);
      String message =
          assertThrows(
                  UnsupportedOperationException.class, () -> trainer.optimizer().zeroGrad(true))
              .getMessage();
      assertTrue(message.contains("DJL keeps gradients"), message);
      TinyModel.train(trainer, new Random(2), 1);
    }
  }

  @Test
  void aClosedModel() {
    Trainer trainer = trainer();
    trainer.initialize(TinyModel.inputs());
    TinyModel.train(trainer, new Random(1), 1);
    manager.close();
    assertThrows(IllegalStateException.class, trainer::step);
    trainer.close();
  }
}
