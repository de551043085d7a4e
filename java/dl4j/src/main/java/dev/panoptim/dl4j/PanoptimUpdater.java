package dev.panoptim.dl4j;

import dev.panoptim.checkpoint.Checkpoint;
import dev.panoptim.checkpoint.CheckpointFolder;
import dev.panoptim.checkpoint.Training;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.schedule.Scheduler;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/// Trains a network of [Deeplearning4j](https://github.com/deeplearning4j/deeplearning4j) with an
/// optimizer of Panoptim, in the network's memory:
///
/// ```java
/// net.init();
/// var updater = PanoptimUpdater.install(net, p -> AdamW.builder(p).learningRate(1e-3).build());
/// net.fit(iterator, epochs);
/// ```
///
/// The optimizer replaces the updater of the network's configuration, including its learning rate
/// and schedule; states that the network's own updater has are dropped. All else is as before:
/// - Gradients are divided by the number of examples of the batch, unless `miniBatch(false)` is
///   configured. L1, L2, normalisation and clipping of gradients, and constraints have their
///   effect.
/// - Parameters with the updater `NoOp`, such as the means of batch normalisation and frozen
///   layers, are changed as the library does. Parameters for pretraining are left unchanged by
///   `fit`; `pretrain` uses the updater of the configuration.
/// - Each step sets the gradients to 0. Listeners see them in `onGradientCalculation`, before the
///   step, and zeros in `iterationDone`, where the library's own updater leaves the change of the
///   parameters. With `optimizer().options().zeroGrad(false)` they see gradients there; user code
///   that calls the network's updater itself must not subtract them then.
///
/// An updater of this library has no states for `ModelSerializer`: files have the parameters only.
/// [#save] and [#restore] keep the whole training. Code that trains copies of a network, such as
/// `ParallelWrapper`, trains them with the updater of the configuration. The network's
/// `setLearningRate` fails; set the learning rate of the optimizer's groups.
///
/// Not thread-safe: for the thread that trains the network, between two steps or in a listener.
public final class PanoptimUpdater implements AutoCloseable {
  private static final String ITERATION = "dl4j.iteration";
  private static final String EPOCH = "dl4j.epoch";

  private final InPlaceStep step;
  private boolean closed;

  private PanoptimUpdater(InPlaceStep step) {
    this.step = step;
  }

  /// Makes an optimizer the updater of a network.
  ///
  /// @param network initialised, with parameters of type FLOAT, on the CPU
  /// @param builder gets all parameters and builds an optimizer of all. A parameter's name is the
  ///   index of the layer, `_` and its name in the layer, such as `0_W`. Those that are not trained
  ///   have no gradient, so that steps skip them; they are there to be saved and published
  /// @throws IllegalArgumentException if the network has parameters of another type or on a GPU, or
  ///   none to train, if its configuration has different updaters, weight decay, another
  ///   optimization algorithm or another step function, or if the optimizer lacks a parameter;
  ///   nothing has changed then
  /// @throws IllegalStateException if the network already has a PanoptimUpdater
  public static PanoptimUpdater install(
      MultiLayerNetwork network, Function<? super List<Parameter>, Optimizer> builder) {
    Objects.requireNonNull(builder, "builder is null, but must be a function");
    requireParameters(network.params());
    return install(new MultiLayerHost(network), builder);
  }

  /// Makes an optimizer the updater of a graph; otherwise as [#install(MultiLayerNetwork,
  /// Function)].
  ///
  /// @param builder a parameter's name is the name of the vertex, `_` and its name in the vertex
  public static PanoptimUpdater install(
      ComputationGraph network, Function<? super List<Parameter>, Optimizer> builder) {
    Objects.requireNonNull(builder, "builder is null, but must be a function");
    requireParameters(network.params());
    return install(new GraphHost(network), builder);
  }

  private static void requireParameters(INDArray parameters) {
    Refusals.requireFloats(parameters);
    Refusals.requireCpu(Nd4j.getExecutioner().type());
  }

  private static PanoptimUpdater install(
      Host host, Function<? super List<Parameter>, Optimizer> builder) {
    if (host.isTaken()) {
      throw new IllegalStateException("the network already has a PanoptimUpdater: close it first");
    }
    Refusals.requireDescent(host.configuration());
    List<NetworkVariable> variables = NetworkVariable.of(host);
    Refusals.requireOneUpdater(variables);
    Refusals.requireKnownRegularization(variables);
    Optimizer optimizer =
        Objects.requireNonNull(
            builder.apply(variables.stream().map(NetworkVariable::parameter).toList()),
            "the builder function returned null, but must return an optimizer");
    try {
      Refusals.requireAll(optimizer, variables);
      optimizer.options().zeroGrad(true);
      InPlaceStep step = new InPlaceStep(host, variables, optimizer);
      host.install(step);
      return new PanoptimUpdater(step);
    } catch (RuntimeException | Error e) {
      optimizer.close();
      throw e;
    }
  }

  /// The optimizer, for example to change hyperparameters between steps.
  public Optimizer optimizer() {
    return step.optimizer();
  }

  /// Calls a scheduler after each step; [#save] and [#restore] include it.
  ///
  /// @param scheduler of [#optimizer]
  /// @throws IllegalArgumentException if it drives another optimizer
  public PanoptimUpdater schedule(Scheduler scheduler) {
    Training.of(optimizer()).withScheduler(scheduler);
    step.setScheduler(scheduler);
    return this;
  }

  /// Saves the parameters, the optimizer's states, the scheduler, and the network's counts of
  /// iterations and epochs. The number of iterations is the step in the file's name.
  ///
  /// The network's configuration is not saved, nor is ND4J's random generator, which dropout uses.
  /// In the listener method `iterationDone`, constraints have not been applied to the parameters
  /// yet.
  ///
  /// @return the written file
  /// @throws IllegalStateException if the updater or the network has been closed, or the folder has
  ///   a checkpoint of a later iteration
  /// @throws UncheckedIOException if the file cannot be written
  public Path save(CheckpointFolder folder) {
    step.requireSameMemory();
    Host host = step.host();
    int iterations = step.iterations();
    return folder.save(
        training(),
        iterations,
        Map.of(ITERATION, Integer.toString(iterations), EPOCH, Integer.toString(host.epoch())));
  }

  /// Continues a training that [#save] has saved, with the same or another network of the same
  /// configuration.
  ///
  /// @param file such as [CheckpointFolder#latest]
  /// @throws IllegalArgumentException if the file has not been saved by [#save], or does not fit;
  ///   nothing has changed then
  /// @throws IllegalStateException if the updater or the network has been closed
  public void restore(Path file) {
    step.requireSameMemory();
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      int iteration = count(file, checkpoint, ITERATION);
      int epoch = count(file, checkpoint, EPOCH);
      checkpoint.load(training());
      step.continueAt(iteration, epoch);
    }
  }

  private static int count(Path file, Checkpoint checkpoint, String key) {
    String value = checkpoint.extras().get(key);
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "'%s' is %s in %s, but must be a number: the file was not saved by PanoptimUpdater"
              .formatted(key, value, file),
          e);
    }
  }

  private Training training() {
    Training training = Training.of(optimizer());
    return step.scheduler() == null ? training : training.withScheduler(step.scheduler());
  }

  /// Closes the optimizer, and gives the network back to the updater of its configuration, which
  /// starts without states. The parameters stay as they are. Closing twice has no effect.
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      step.host().uninstall();
    }
    optimizer().close();
  }

  @Override
  public String toString() {
    return "PanoptimUpdater[" + optimizer() + "]";
  }
}
