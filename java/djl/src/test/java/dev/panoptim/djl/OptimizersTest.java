package dev.panoptim.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Model;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Adadelta;
import dev.panoptim.optim.Adagrad;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.Lion;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.RmsProp;
import dev.panoptim.optim.Sgd;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Optimizers and options that DJL's PyTorch engine does not have.
@Tag("natives")
class OptimizersTest {
  private static final int STEPS = 400;

  private interface Factory extends Function<List<Parameter>, Optimizer> {}

  private static Arguments named(String name, Factory factory) {
    return Arguments.argumentSet(name, factory);
  }

  static Stream<Arguments> optimizers() {
    return Stream.of(
        named("RMSprop", p -> RmsProp.builder(p).learningRate(0.003).build()),
        named("Adagrad", p -> Adagrad.builder(p).learningRate(0.05).build()),
        named("Adadelta", p -> Adadelta.builder(p).build()),
        named("Lion", p -> Lion.builder(p).learningRate(0.002).build()),
        named(
            "Nesterov",
            p -> Sgd.builder(p).learningRate(0.05).momentum(0.9).nesterov(true).build()),
        named(
            "norm clipping",
            p -> Adam.builder(p).learningRate(0.01).options(o -> o.clipGradNorm(1)).build()));
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void theLossFalls(Factory factory) {
    long seed = new Random().nextLong();
    try (Model model = TinyModel.mlp();
        PanoptimTrainer trainer = PanoptimTrainer.of(model, TinyModel.config(), factory)) {
      trainer.initialize(TinyModel.inputs());
      Random random = new Random(seed);
      float first = 0;
      float last = 0;
      for (int i = 0; i < STEPS; i++) {
        float loss = TinyModel.backward(trainer, random);
        trainer.step();
        first += i < 50 ? loss : 0;
        last += i >= STEPS - 50 ? loss : 0;
      }
      float before = first / 50;
      float after = last / 50;
      assertTrue(after < 0.75 * before, () -> "loss " + before + " to " + after + ", seed " + seed);
      assertEquals(
          STEPS,
          trainer
              .optimizer()
              .stepCount(trainer.optimizer().paramGroups().getFirst().parameters().getFirst()));
    }
  }
}
