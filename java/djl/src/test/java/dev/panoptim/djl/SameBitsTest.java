package dev.panoptim.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.AdamW;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Trainings reach the same bits however gradients are found.
@Tag("natives")
class SameBitsTest {
  private static final long SEED = new Random().nextLong();
  private static final int STEPS = 12;

  /// The same for all trainings.
  private static Map<String, float[]> start;

  private final List<NDArray> moved = new ArrayList<>();

  @BeforeAll
  static void initialize() {
    System.out.println("SameBitsTest: seed " + SEED);
    try (Model model = TinyModel.mlp();
        PanoptimTrainer trainer = trainer(model)) {
      trainer.initialize(TinyModel.inputs());
      start = TinyModel.weights(model.getBlock());
    }
  }

  private static PanoptimTrainer trainer(Model model) {
    return PanoptimTrainer.of(
        model, TinyModel.config(), p -> AdamW.builder(p).learningRate(0.01).build());
  }

  private String bits(Function<Model, PanoptimTrainer> newTrainer, Consumer<PanoptimTrainer> step) {
    try (Model model = TinyModel.mlp();
        PanoptimTrainer trainer = newTrainer.apply(model)) {
      trainer.initialize(TinyModel.inputs());
      TinyModel.setWeights(model.getBlock(), start);
      Random random = new Random(SEED);
      for (int i = 0; i < STEPS; i++) {
        TinyModel.backward(trainer, random);
        step.accept(trainer);
      }
      moved.forEach(NDArray::close);
      return TinyModel.bits(model.getBlock());
    }
  }

  private String usual() {
    return bits(SameBitsTest::trainer, PanoptimTrainer::step);
  }

  @Test
  void afterGarbageCollections() {
    assertEquals(
        usual(),
        bits(
            SameBitsTest::trainer,
            trainer -> {
              System.gc();
              trainer.step();
              System.gc();
            }));
  }

  @Test
  void throughDjlsBuffers() {
    assertEquals(
        usual(),
        bits(
            model ->
                PanoptimTrainer.of(
                    model,
                    TinyModel.config(),
                    p -> AdamW.builder(p).learningRate(0.01).build(),
                    _ -> new BufferMemory()),
            PanoptimTrainer::step));
  }

  @Test
  void tensorByTensor() {
    assertEquals(
        usual(),
        bits(
            SameBitsTest::trainer,
            trainer -> {
              for (Parameter each : trainer.optimizer().paramGroups().getFirst().parameters()) {
                trainer.optimizer().step(each);
              }
            }));
  }

  @Test
  void withGradientsThatMove() {
    List<Long> addresses = new ArrayList<>();
    assertEquals(
        usual(),
        bits(
            SameBitsTest::trainer,
            trainer -> {
              trainer.getModel().getBlock().getParameters().values().forEach(this::moveGradient);
              trainer.step();
              addresses.add(
                  trainer
                      .optimizer()
                      .paramGroups()
                      .getFirst()
                      .parameters()
                      .getFirst()
                      .gradient()
                      .address());
            }));
    assertNotEquals(addresses.get(0), addresses.get(1));
  }

  /// Gives the gradient other memory with the same content.
  private void moveGradient(ai.djl.nn.Parameter parameter) {
    NDArray gradient = parameter.getArray().getGradient();
    float[] values = gradient.toFloatArray();
    ByteBuffer memory =
        ByteBuffer.allocateDirect(values.length * Float.BYTES).order(ByteOrder.nativeOrder());
    memory.asFloatBuffer().put(values);
    gradient.set(memory);
    moved.add(gradient); // It keeps the memory alive.
  }

  /// PyTorch replaces a gradient when the derivative of a gradient is asked for.
  @Test
  void withGradientsThatAreReplaced() {
    List<Long> addresses = new ArrayList<>();
    String replaced =
        bits(
            SameBitsTest::trainer,
            trainer -> {
              TinyModel.backwardWithGraph(trainer, new Random(1));
              trainer.step();
              addresses.add(
                  trainer
                      .optimizer()
                      .paramGroups()
                      .getFirst()
                      .parameters()
                      .getFirst()
                      .gradient()
                      .address());
            });
    String expected =
        bits(
            SameBitsTest::trainer,
            trainer -> {
              TinyModel.backward(trainer, new Random(1));
              trainer.step();
            });
    assertEquals(expected, replaced);
    assertNotEquals(addresses.get(0), addresses.get(1));
  }
}
