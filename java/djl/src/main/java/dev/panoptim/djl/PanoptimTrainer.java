package dev.panoptim.djl;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import ai.djl.Model;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.Trainer;
import ai.djl.training.TrainingConfig;
import ai.djl.training.tracker.Tracker;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.ParameterGroup;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;

/// A DJL trainer whose [#step()] is one step of a Panoptim optimizer over all parameters, in the
/// memory of DJL's PyTorch engine. It replaces `model.newTrainer(config)`:
///
/// ```java
/// try (Trainer trainer = PanoptimTrainer.of(
///     model, config, parameters -> AdamW.builder(parameters).learningRate(1e-3).build())) {
///   trainer.initialize(new Shape(1, 784));
///   EasyTrain.fit(trainer, 2, dataset, null);
/// }
/// ```
///
/// Everything else is DJL's: `EasyTrain`, listeners, metrics, evaluators. As in DJL, a step sets
/// all gradients to 0.
///
/// The optimizer is built at the first [#step()] or [#optimizer()]. From then on, the arrays of
/// parameters must stay where they are: load or set them before. A parameter that is frozen is
/// skipped, and may be frozen and unfrozen at any time. A parameter that has never had a gradient
/// is skipped too, where DJL's optimizers decay it. Parameters that are added to the block later
/// are not trained.
///
/// Trained are float32 parameters on the CPU. Others are refused when the model is initialized,
/// unless they are frozen.
///
/// Not thread-safe, as DJL's trainers.
public final class PanoptimTrainer extends Trainer {
  private static final AtomicBoolean FALLBACK_LOGGED = new AtomicBoolean();

  private final Function<? super List<Parameter>, Optimizer> factory;
  private final TensorMemory memory;

  /// `null` before the first step.
  private ModelParameters parameters;

  /// `null` before the first step.
  private Optimizer optimizer;

  /// Parameters that the user has not given to the optimizer.
  private List<Parameter> untrained = List.of();

  private Tracker learningRate;
  private boolean gradientsChecked;

  private PanoptimTrainer(
      Model model,
      TrainingConfig config,
      Function<? super List<Parameter>, Optimizer> factory,
      Function<PanoptimTrainer, TensorMemory> memory) {
    this.factory = factory; // Listeners see this object while the superclass is constructed.
    super(model, config);
    this.memory = memory.apply(this);
  }

  /// Creates a trainer, as `model.newTrainer(config)` does: it also sets the initializers of the
  /// config, and unfreezes the parameters of a model that was loaded.
  ///
  /// @param model a model of DJL's PyTorch engine that has a block
  /// @param config must train on the CPU alone, and must not have an optimizer of DJL
  /// @param optimizer builds the optimizer of the given parameters, in the order of the model, with
  ///   their names in `Block.getParameters()`. It may leave some out, which then are not trained,
  ///   or make groups. The trainer closes the optimizer
  /// @throws IllegalArgumentException if engine, devices or optimizer are others; the model is
  ///   unchanged then
  /// @throws IllegalStateException if the model has no block
  public static PanoptimTrainer of(
      Model model, TrainingConfig config, Function<? super List<Parameter>, Optimizer> optimizer) {
    return of(model, config, optimizer, trainer -> chooseMemory(trainer, Libtorch::load));
  }

  /// @param memory is given the trainer
  static PanoptimTrainer of(
      Model model,
      TrainingConfig config,
      Function<? super List<Parameter>, Optimizer> optimizer,
      Function<PanoptimTrainer, TensorMemory> memory) {
    Objects.requireNonNull(optimizer, "optimizer is null, but must be a function");
    ConfigChecks.requireEngine(model.getNDManager().getEngine().getEngineName());
    ConfigChecks.require(config);
    // What newTrainer does beside constructing differs by engine and version, so that it is left to
    // DJL. Its trainer has no listeners, which would be told of two trainings.
    model.newTrainer(new QuietConfig(config)).close();
    return new PanoptimTrainer(model, config, optimizer, memory);
  }

  /// @param libtorch throws an [UnsupportedOperationException] if libtorch cannot be asked
  static TensorMemory chooseMemory(PanoptimTrainer trainer, Supplier<Libtorch> libtorch) {
    try {
      return new LibtorchMemory(libtorch.get(), trainer.getManager());
    } catch (UnsupportedOperationException e) {
      if (FALLBACK_LOGGED.compareAndSet(false, true)) {
        System.getLogger(PanoptimTrainer.class.getName())
            .log(
                System.Logger.Level.WARNING,
                "steps find gradients through DJL's buffers, which takes some microseconds for each"
                    + " parameter, because libtorch cannot be asked: "
                    + e.getMessage());
      }
      return new BufferMemory();
    }
  }

  /// Initializes the model, as DJL does.
  ///
  /// @throws IllegalArgumentException if a parameter cannot be trained: it has another data type
  ///   than float32, is not on the CPU, or its array is sparse or not contiguous
  @Override
  public void initialize(Shape... shapes) {
    super.initialize(shapes);
    if (optimizer == null) {
      ModelParameters.of(getModel().getBlock(), memory);
    }
  }

  /// The optimizer, for its options, its hyperparameters and checkpoints. It has the trainer's life
  /// time.
  ///
  /// @throws IllegalStateException if the model is not initialized
  /// @throws IllegalArgumentException if a parameter cannot be trained; as [#initialize]
  public Optimizer optimizer() {
    if (optimizer == null) {
      ModelParameters all = ModelParameters.of(getModel().getBlock(), memory);
      Optimizer built =
          Objects.requireNonNull(
              factory.apply(all.shared()),
              "the function of the trainer has returned null, but must return an optimizer");
      built.options().zeroGrad(true);
      Set<Parameter> trained = new HashSet<>();
      built.paramGroups().forEach(group -> trained.addAll(group.parameters()));
      untrained = all.shared().stream().filter(each -> !trained.contains(each)).toList();
      parameters = all;
      optimizer = built;
    }
    return optimizer;
  }

  /// Sets the learning rate of all groups from a schedule of DJL: before each step, to the value
  /// for the number of that step, counted from 1 as DJL counts. After a checkpoint is loaded,
  /// counting goes on from the step count of the optimizer.
  ///
  /// @param tracker `null` leaves the learning rate to the optimizer, as at first
  /// @return this trainer
  public PanoptimTrainer learningRate(Tracker tracker) {
    learningRate = tracker;
    return this;
  }

  /// Makes one step of the optimizer over all parameters that have a gradient and are not frozen,
  /// and sets all gradients to 0.
  ///
  /// @throws IllegalStateException before the first `backward`: if all gradients are 0; also if the
  ///   array of a parameter has been replaced, closed or moved. Nothing has changed then
  /// @throws IllegalArgumentException if a parameter or gradient cannot be used; nothing has
  ///   changed then
  @Override
  public void step() {
    Optimizer optimizer = optimizer();
    parameters.requireFrozen();
    if (!gradientsChecked) {
      requireGradients();
    }
    long begin = System.nanoTime();
    // What may fail comes before the step.
    untrained.forEach(Parameter::updateGradient);
    if (learningRate != null) {
      setLearningRate(optimizer);
    }
    optimizer.step();
    untrained.forEach(PanoptimTrainer::zeroGradient);
    addMetric("step", begin);
  }

  private void setLearningRate(Optimizer optimizer) {
    long steps = 0;
    for (ParameterGroup group : optimizer.paramGroups()) {
      for (Parameter each : group.parameters()) {
        steps = Math.max(steps, optimizer.stepCount(each));
      }
    }
    double value = learningRate.getNewValue(Math.toIntExact(steps + 1));
    optimizer.paramGroups().forEach(group -> group.setLearningRate(value));
  }

  private static void zeroGradient(Parameter parameter) {
    if (parameter.hasGradient()) {
      parameter.gradient().fill((byte) 0);
    }
  }

  /// As DJL does, before the first step: a forgotten `backward` is an error.
  private void requireGradients() {
    for (Parameter each : parameters.shared()) {
      each.updateGradient();
      if (each.hasGradient() && hasNonZero(each.gradient())) {
        gradientsChecked = true;
        return;
      }
    }
    throw new IllegalStateException(
        "all gradients are 0: call backward of the gradient collector before the first step");
  }

  private static boolean hasNonZero(MemorySegment floats) {
    long count = floats.byteSize() / Float.BYTES;
    for (long i = 0; i < count; i++) {
      if (floats.getAtIndex(JAVA_FLOAT, i) != 0) {
        return true;
      }
    }
    return false;
  }

  /// Ends the training as DJL does, and closes the optimizer after the listeners have been told.
  @Override
  public void close() {
    try {
      super.close();
    } finally {
      if (optimizer != null) {
        optimizer.close();
      }
    }
  }
}
