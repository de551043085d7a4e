package dev.panoptim.server.digits;

import dev.panoptim.checkpoint.Checkpoint;
import dev.panoptim.checkpoint.Training;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Publication;
import dev.panoptim.optim.PublicationLease;
import dev.panoptim.optim.PublishedParameters;
import dev.panoptim.optim.StepReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// The network with its optimizer: any number of threads predict from published copies, while one
/// thread learns.
///
/// Thread-safe for [#predict], [#labels], [#settings], [#publications] and [#skippedPublications].
/// All other methods are for the thread that learns.
public final class DigitModel implements AutoCloseable {
  public static final int MOST_CLASSES = 40;

  /// A new class is improbable until it has been taught.
  private static final double NEW_BIAS = -4;

  /// Enough that a few slow readers do not make the learner skip a publication.
  private static final int BUFFERS = 4;

  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final String OPTIMIZER = "optimizer";
  private static final String LABEL = "label.";

  /// What predictions use; replaced as a whole.
  private record Served(
      List<String> labels,
      NetworkParameters parameters,
      List<Parameter> classes,
      Publication publication,
      int generation) {}

  private final Network network = new Network();
  private NetworkParameters parameters;
  private Optimizer optimizer;
  private volatile LearningSettings settings;
  private volatile Served served;

  /// Publications of optimizers that have been replaced.
  private volatile long earlierPublications;

  private volatile long earlierSkips;

  /// A network of the ten digits with random parameters.
  public DigitModel(LearningSettings settings, long seed) {
    this.settings = settings;
    parameters = new NetworkParameters(DigitGenerator.digits(), seed);
    optimizer = build(parameters, settings);
    serve(IntStream.range(0, DigitGenerator.digits()).mapToObj(Integer::toString).toList(), 0);
  }

  private static Optimizer build(NetworkParameters parameters, LearningSettings settings) {
    return settings
        .kind()
        .builder(parameters.all())
        .learningRate(settings.learningRate())
        // The other cores answer requests.
        .threads(1)
        .publish(options -> options.buffers(BUFFERS))
        .options(
            options ->
                options.clipGradNorm(settings.clipGradNorm()).skipNonFinite(true).zeroGrad(true))
        .build();
  }

  private void serve(List<String> labels, int generation) {
    served =
        new Served(
            List.copyOf(labels),
            parameters,
            parameters.classes(),
            optimizer.publication(),
            generation);
  }

  public List<String> labels() {
    return served.labels();
  }

  public LearningSettings settings() {
    return settings;
  }

  /// All publications, also those of earlier optimizers.
  public long publications() {
    return earlierPublications + served.publication().published();
  }

  public long skippedPublications() {
    return earlierSkips + served.publication().skipped();
  }

  /// Predicts from the newest published copy; takes no lock and does not wait.
  ///
  /// @param pixels as [Raster#pixels] makes them
  /// @throws IllegalStateException if the model has been closed
  public Prediction predict(float[] pixels) {
    Served now = served;
    try (PublicationLease lease = acquire(now)) {
      if (lease != null) {
        return predict(now, lease.parameters(), pixels);
      }
    }
    // The optimizer has been replaced since the first read.
    return predict(pixels);
  }

  /// The newest copy; `null` if the optimizer has just been replaced by another one.
  private PublicationLease acquire(Served now) {
    try {
      return now.publication().acquire();
    } catch (IllegalStateException e) {
      if (now == served) {
        throw e;
      }
      return null;
    }
  }

  private static Prediction predict(Served now, PublishedParameters copy, float[] pixels) {
    float[] guard = now.parameters().firstGuard(copy);
    float[] probabilities =
        new Network().probabilities(now.parameters().published(copy, now.classes()), pixels);
    boolean torn = now.parameters().isTorn(copy, guard);
    return new Prediction(now.labels(), probabilities, now.generation(), copy.step(), torn);
  }

  /// Adds the gradients of an example, which the next [#step] uses.
  ///
  /// @param share the weight of the example in the step
  /// @return the cross-entropy of the example
  double addGradients(Example example, float share) {
    return network.addGradients(
        parameters.data(), parameters.gradients(), example.pixels(), example.label(), share);
  }

  /// Updates the parameters from the gradients that were added since the last step, and publishes
  /// them.
  ///
  /// @return whether it was skipped, because a gradient was not finite
  boolean step() {
    parameters.setGuardGradients();
    StepReport report = optimizer.step();
    return report.skipped();
  }

  /// Adds a class. The parameters, states and outputs of the others keep their bits.
  ///
  /// @throws IllegalArgumentException if the label exists or there are too many classes
  void addClass(String label) {
    List<String> labels = new ArrayList<>(labels());
    if (labels.contains(label)) {
      throw new IllegalArgumentException("label '" + label + "' exists already");
    }
    if (labels.size() >= MOST_CLASSES) {
      throw new IllegalArgumentException(
          "there are %s classes already, the most that are possible".formatted(MOST_CLASSES));
    }
    Parameter row = parameters.addClass(NEW_BIAS);
    optimizer.addParamGroup(List.of(row), Map.of());
    optimizer.paramGroups().getLast().setLearningRate(settings.learningRate());
    labels.add(label);
    serve(labels, served.generation());
  }

  /// Changes how the network learns. Another kind of optimizer starts with fresh states.
  void change(LearningSettings wanted) {
    if (wanted.kind() == settings.kind()) {
      optimizer.paramGroups().forEach(each -> each.setLearningRate(wanted.learningRate()));
      optimizer.options().clipGradNorm(wanted.clipGradNorm());
    } else {
      replace(parameters, build(parameters, wanted), labels());
    }
    settings = wanted;
  }

  private void replace(NetworkParameters fresh, Optimizer by, List<String> labels) {
    Optimizer before = optimizer;
    NetworkParameters parametersBefore = parameters;
    optimizer = by;
    parameters = fresh;
    earlierPublications += before.publication().published();
    earlierSkips += before.publication().skipped();
    serve(labels, served.generation() + 1);
    before.close();
    if (parametersBefore != fresh) {
      parametersBefore.close();
    }
  }

  /// What a checkpoint saves.
  Training training() {
    return Training.of(optimizer);
  }

  /// The strings that a checkpoint saves, from which [#restore] knows optimizer and classes.
  Map<String, String> extras() {
    Map<String, String> extras = new TreeMap<>();
    extras.put(OPTIMIZER, settings.kind().id());
    List<String> labels = labels();
    for (int i = 0; i < labels.size(); i++) {
      extras.put(LABEL + i, labels.get(i));
    }
    return extras;
  }

  /// Continues from a checkpoint, with its classes and its optimizer.
  ///
  /// @throws IllegalArgumentException if it is none of this server; nothing has changed
  void restore(Checkpoint checkpoint) {
    Map<String, String> extras = checkpoint.extras();
    List<String> labels = new ArrayList<>();
    while (extras.containsKey(LABEL + labels.size())) {
      labels.add(extras.get(LABEL + labels.size()));
    }
    if (labels.size() < DigitGenerator.digits() || labels.size() > MOST_CLASSES) {
      throw new IllegalArgumentException(
          "the checkpoint has %s labels, but must have from %s to %s"
              .formatted(labels.size(), DigitGenerator.digits(), MOST_CLASSES));
    }
    OptimizerKind kind = OptimizerKind.of(extras.getOrDefault(OPTIMIZER, ""));
    NetworkParameters fresh = new NetworkParameters(labels.size(), 0);
    LearningSettings wanted =
        new LearningSettings(kind, kind.usualLearningRate(), settings.clipGradNorm());
    Optimizer loaded = build(fresh, wanted);
    LearningSettings restored;
    try {
      checkpoint.load(Training.of(loaded));
      double rate = loaded.paramGroups().getFirst().learningRate();
      restored = new LearningSettings(kind, rate, wanted.clipGradNorm());
    } catch (RuntimeException e) {
      loaded.close();
      fresh.close();
      throw e;
    }
    replace(fresh, loaded, labels);
    settings = restored;
  }

  /// Frees the memory, unless a step does not end. Predictions fail from then on.
  @Override
  public void close() {
    if (optimizer.close(PATIENCE)) {
      parameters.close();
    }
  }
}
