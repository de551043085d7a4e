package dev.panoptim.server.digits;

import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Lion;
import dev.panoptim.optim.OptimizerBuilder;
import dev.panoptim.optim.RmsProp;
import dev.panoptim.optim.Sgd;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The optimizers that can be chosen while the server runs.
public enum OptimizerKind {
  SGD("SGD with momentum", 0.02, p -> Sgd.builder(p).momentum(0.9)),
  RMSPROP("RMSprop", 5e-4, RmsProp::builder),
  ADAM("Adam", 1e-3, Adam::builder),
  ADAMW("AdamW", 1e-3, AdamW::builder),
  LION("Lion", 2e-4, Lion::builder);

  private final String title;
  private final double learningRate;
  private final Function<Iterable<Parameter>, OptimizerBuilder<?>> builder;

  OptimizerKind(
      String title,
      double learningRate,
      Function<Iterable<Parameter>, OptimizerBuilder<?>> builder) {
    this.title = title;
    this.learningRate = learningRate;
    this.builder = builder;
  }

  OptimizerBuilder<?> builder(Iterable<Parameter> parameters) {
    return builder.apply(parameters);
  }

  /// The name in requests and checkpoints.
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  public String title() {
    return title;
  }

  /// A learning rate that suits the network.
  public double usualLearningRate() {
    return learningRate;
  }

  /// @throws IllegalArgumentException if there is no such optimizer
  public static OptimizerKind of(String id) {
    return Arrays.stream(values())
        .filter(each -> each.id().equals(id))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "optimizer is '%s', but must be one of %s"
                        .formatted(
                            id,
                            Arrays.stream(values())
                                .map(OptimizerKind::id)
                                .collect(Collectors.joining(", ")))));
  }
}
