package dev.panoptim.server.digits;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.PublishedParameters;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// The parameters of a network. Each class has a parameter of its own, so that a new class leaves
/// the memory and the states of the others alone.
///
/// Two small parameters guard the others, one at each end of the memory: they start with the same
/// values and always get the same gradients. A copy in which they differ is a mix of two steps.
///
/// To be used by one thread, but for [#published] and [#isTorn].
final class NetworkParameters implements AutoCloseable {
  private static final int GUARD = 16;

  /// Small beside the others: it must change the guards, but not the norm of all gradients.
  private static final double GUARD_GRADIENT = 1e-4;

  private final List<Parameters> memory = new ArrayList<>();
  private final List<Parameter> classes = new ArrayList<>();
  private final SplittableRandom random;
  private final Parameter firstGuard;
  private final Parameter convolution;
  private final Parameter convolutionBias;
  private final Parameter hidden;
  private final Parameter hiddenBias;
  private final Parameter lastGuard;

  /// Parameters with random values.
  NetworkParameters(int classCount, long seed) {
    random = new SplittableRandom(seed);
    Parameters.Builder builder =
        Parameters.builder()
            .add("guard/first", GUARD)
            .add("convolution/weight", Network.WINDOW, Network.WINDOW, Network.CHANNELS)
            .add("convolution/bias", Network.CHANNELS)
            .add("hidden/weight", Network.FEATURES, Network.HIDDEN)
            .add("hidden/bias", Network.HIDDEN);
    for (int i = 0; i < classCount; i++) {
      builder.add(className(i), Network.CLASS_ROW);
    }
    Parameters built = builder.add("guard/last", GUARD).build();
    memory.add(built);
    firstGuard = built.get("guard/first");
    convolution = built.get("convolution/weight");
    convolutionBias = built.get("convolution/bias");
    hidden = built.get("hidden/weight");
    hiddenBias = built.get("hidden/bias");
    lastGuard = built.get("guard/last");
    // The scale keeps the variance from layer to layer (He and others 2015).
    fill(convolution, Network.CONVOLUTION, Network.WINDOW * Network.WINDOW);
    fill(hidden, (int) hidden.size(), Network.FEATURES);
    for (int i = 0; i < classCount; i++) {
      classes.add(built.get(className(i)));
      fill(classes.get(i), Network.HIDDEN, Network.HIDDEN);
    }
  }

  private static String className(int index) {
    return "class/" + index;
  }

  private void fill(Parameter parameter, int count, int inputs) {
    double deviation = Math.sqrt(2.0 / inputs);
    for (int i = 0; i < count; i++) {
      parameter.data().setAtIndex(JAVA_FLOAT, i, (float) (deviation * random.nextGaussian()));
    }
  }

  /// Adds the parameter of one more class. Its weights are 0 and its bias is `bias`.
  Parameter addClass(double bias) {
    String name = className(classes.size());
    Parameters added = Parameters.builder().add(name, Network.CLASS_ROW).build();
    memory.add(added);
    Parameter row = added.get(name);
    row.data().setAtIndex(JAVA_FLOAT, Network.HIDDEN, (float) bias);
    classes.add(row);
    return row;
  }

  /// All parameters.
  List<Parameter> all() {
    return memory.stream().flatMap(each -> each.all().stream()).toList();
  }

  List<Parameter> classes() {
    return List.copyOf(classes);
  }

  Weights data() {
    return new Weights(
        convolution.data(),
        convolutionBias.data(),
        hidden.data(),
        hiddenBias.data(),
        classes.stream().map(Parameter::data).toList());
  }

  Weights gradients() {
    return new Weights(
        convolution.gradient(),
        convolutionBias.gradient(),
        hidden.gradient(),
        hiddenBias.gradient(),
        classes.stream().map(Parameter::gradient).toList());
  }

  /// Gives both guards the same random gradients.
  void setGuardGradients() {
    for (int i = 0; i < GUARD; i++) {
      float value = (float) random.nextDouble(-GUARD_GRADIENT, GUARD_GRADIENT);
      firstGuard.gradient().setAtIndex(JAVA_FLOAT, i, value);
      lastGuard.gradient().setAtIndex(JAVA_FLOAT, i, value);
    }
  }

  /// The weights in a published copy.
  ///
  /// @param chosen classes that are in the copy
  Weights published(PublishedParameters copy, List<Parameter> chosen) {
    return new Weights(
        copy.data(convolution),
        copy.data(convolutionBias),
        copy.data(hidden),
        copy.data(hiddenBias),
        chosen.stream().map(copy::data).toList());
  }

  /// The guard at the start of a copy. To be read before the other parameters.
  float[] firstGuard(PublishedParameters copy) {
    return copy.data(firstGuard).toArray(JAVA_FLOAT);
  }

  /// Whether the guard at the end of a copy differs. To be called after the other reads.
  boolean isTorn(PublishedParameters copy, float[] first) {
    return MemorySegment.ofArray(first).mismatch(copy.data(lastGuard)) >= 0;
  }

  @Override
  public void close() {
    memory.forEach(Parameters::close);
  }
}
