package dev.panoptim.examples.serving;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import java.util.Locale;

/// How requests and the learner share the parameters. The modes alternate in this order.
enum Mode {
  NONE("no learner; requests read the first publication"),
  PUBLICATION("requests read by publication.read(...)"),
  LOCK("a ReentrantReadWriteLock encloses each step and each prediction"),
  LIVE("requests read the parameters while steps change them");

  private static final double LEARNING_RATE = 1e-4;

  private final String description;

  Mode(String description) {
    this.description = description;
  }

  String description() {
    return description;
  }

  boolean learns() {
    return this != NONE;
  }

  boolean publishes() {
    return this == NONE || this == PUBLICATION;
  }

  /// An optimizer for this mode, which publishes only if requests read publications.
  Optimizer newOptimizer(Parameters parameters) {
    AdamW.Builder builder =
        AdamW.builder(parameters).learningRate(LEARNING_RATE).weightDecay(0).threads(1);
    return (publishes() ? builder.publish() : builder).build();
  }

  /// The access of requests and the learner to the parameters.
  ModelAccess share(Ensemble model, Parameter weights, Optimizer optimizer) {
    return switch (this) {
      case NONE, PUBLICATION -> new ModelAccess.Published(model, weights, optimizer);
      case LOCK -> new ModelAccess.Locked(model, weights, optimizer);
      case LIVE -> new ModelAccess.Live(model, weights, optimizer);
    };
  }

  /// In lower case, as in tables.
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
