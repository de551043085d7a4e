package dev.panoptim.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.checkpoint.CheckpointFolder;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Optimizer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.stepfunctions.DefaultStepFunction;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.config.Sgd;

class RefusalsTest {
  private static void refused(
      MultiLayerNetwork net,
      Function<? super List<Parameter>, Optimizer> builder,
      String expected) {
    byte[] before = net.params().data().asBytes();
    Exception e =
        assertThrows(
            IllegalArgumentException.class, () -> PanoptimUpdater.install(net, builder).close());
    assertTrue(e.getMessage().contains(expected), e.getMessage());
    assertArrayEquals(before, net.params().data().asBytes());
    assertNull(net.getUpdater(false));
  }

  static Stream<Arguments> configurations() {
    return Stream.of(
        configuration("DOUBLE", it -> it.dataType(DataType.DOUBLE)),
        configuration("HALF", it -> it.dataType(DataType.HALF)),
        configuration("'0_b' has Sgd", it -> it.biasUpdater(new Sgd(0.1))),
        configuration("no parameter to train", it -> it.updater(new NoOp())),
        configuration("AdamW", it -> it.weightDecay(0.1)),
        configuration("LBFGS", it -> it.optimizationAlgo(OptimizationAlgorithm.LBFGS)),
        configuration("stepFunction", it -> it.stepFunction(new DefaultStepFunction())));
  }

  private static Arguments configuration(
      String expected, UnaryOperator<NeuralNetConfiguration.Builder> changes) {
    return Arguments.of(expected, changes);
  }

  @Tag("natives")
  @ParameterizedTest(name = "{0}")
  @MethodSource("configurations")
  void networksThatCannotBeTrainedInPlace(
      String expected, UnaryOperator<NeuralNetConfiguration.Builder> changes) {
    refused(Networks.dense(changes), Networks::panoptim, expected);
  }

  @Tag("natives")
  @Test
  void anOptimizerThatLacksAParameterIsClosed() {
    AtomicReference<Optimizer> built = new AtomicReference<>();
    refused(
        Networks.dense(it -> it),
        p -> {
          built.set(Networks.panoptim(p.subList(1, p.size())));
          return built.get();
        },
        "does not have the parameter '0_W'");
    assertThrows(IllegalStateException.class, () -> built.get().step());
  }

  @Test
  void aNetworkWithoutParameters() {
    Exception e = assertThrows(IllegalArgumentException.class, () -> Refusals.requireFloats(null));
    assertTrue(e.getMessage().contains("init()"), e.getMessage());
  }

  @Tag("natives")
  @Test
  void aSecondUpdater() {
    MultiLayerNetwork net = Networks.dense(it -> it);
    try (var updater = PanoptimUpdater.install(net, Networks::panoptim)) {
      assertThrows(
          IllegalStateException.class, () -> PanoptimUpdater.install(net, Networks::panoptim));
      Networks.batches(2, 9, 1).forEach(net::fit);
    }
  }

  @Tag("natives")
  @Test
  void aNetworkThatHasBeenClosed() {
    MultiLayerNetwork net = Networks.dense(it -> it);
    try (var updater = PanoptimUpdater.install(net, Networks::panoptim)) {
      net.close();
      assertThrows(
          IllegalStateException.class,
          () -> updater.save(CheckpointFolder.of(Path.of("target", "never"), 1)));
    }
  }

  @Test
  void gpus() {
    Exception e =
        assertThrows(
            IllegalArgumentException.class, () -> Refusals.requireCpu(ExecutionerType.CUDA));
    assertTrue(e.getMessage().contains("CUDA"), e.getMessage());
    Refusals.requireCpu(ExecutionerType.NATIVE_CPU);
  }
}
