package dev.panoptim.metrics;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.StateDict;
import java.util.Map;
import java.util.function.Supplier;

/// The program that [MemoryLimitTest] runs in a separate process with a limit of 20 MiB. It
/// allocates too much of each kind of memory and prints the results.
final class MemoryLimitProbe {
  private static final int MEBI = 1 << 20;

  /// The elements of a parameter whose data and gradient take 8 MiB.
  private static final int ELEMENTS = MEBI;

  private MemoryLimitProbe() {}

  public static void main(String[] arguments) throws Exception {
    tooManyParameters();
    states();
    copies();
    averages();
    loading();
    forgotten();
    System.out.println("DONE");
  }

  /// @return the message of the action's exception, or `null` if there is none
  private static String refusal(Supplier<?> action) {
    long before = held();
    try {
      action.get();
      return null;
    } catch (OutOfMemoryError e) {
      long after = held();
      require(after == before, "a refusal left " + (after - before) + " bytes held");
      return e.getMessage();
    }
  }

  /// The held bytes without tables, because the garbage collector frees tables at any time.
  private static long held() {
    MemoryUse memory = Metrics.snapshot().memory();
    return memory.total() - memory.tables();
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }

  private static void requireRefused(String kind, Supplier<?> action) {
    String message = refusal(action);
    require(message != null, kind + " were allocated");
    System.out.println("REFUSED " + message);
    require(message.contains(" bytes for " + kind + " are not allocated: "), message);
    require(
        message.endsWith("the limit is 20971520 bytes (system property panoptim.memory.limit)"),
        message);
  }

  private static Parameters parameters(String name) {
    return Parameters.builder().add(name, ELEMENTS).build();
  }

  private static void tooManyParameters() {
    try (Parameters first = parameters("a")) {
      try (Parameters second = parameters("b")) {
        requireRefused("parameters and gradients", () -> parameters("c"));
        first.get("a").data().set(JAVA_FLOAT, 0, 1);
        second.get("b").data().set(JAVA_FLOAT, 0, 1);
      }
      parameters("c").close();
    }
  }

  /// A step without enough memory for its states changes nothing, and can be repeated when there is
  /// enough memory.
  private static void states() {
    try (Parameters parameters = parameters("a");
        Optimizer optimizer = AdamW.builder(parameters).learningRate(0.5).build()) {
      parameters.get("a").gradient().setAtIndex(JAVA_FLOAT, 5, 1);
      try (Parameters other = parameters("b")) {
        requireRefused("states", optimizer::step);
        require(parameters.get("a").data().getAtIndex(JAVA_FLOAT, 5) == 0, "the data changed");
        require(optimizer.stepCount(parameters.get("a")) == 0, "the step counts");
        require(optimizer.state(parameters.get("a")).isEmpty(), "there are states");
        require(optimizer.report().updatedParameters() == 0, "the report says otherwise");
        require(other.get("b").hasGradient(), "there is another");
      }
      optimizer.step();
      require(parameters.get("a").data().getAtIndex(JAVA_FLOAT, 5) != 0, "the step did nothing");
      require(optimizer.stepCount(parameters.get("a")) == 1, "the step does not count");
    }
  }

  /// The states fit, but the 16-bit copies do not. The states must be freed again.
  private static void copies() {
    try (Parameters parameters = parameters("a");
        Parameters more = Parameters.builder().add("b", 3 * MEBI / 8).build();
        Optimizer optimizer =
            AdamW.builder(parameters).halfPrecisionCopy(HalfPrecision.BFLOAT16).build()) {
      requireRefused("half-precision copies", optimizer::step);
      require(Metrics.snapshot().memory().states() == 0, "states are held");
      more.close();
      optimizer.step();
    }
  }

  private static void averages() {
    try (Parameters parameters = parameters("a");
        Parameters more = Parameters.builder().add("b", MEBI / 4).build();
        Optimizer optimizer = AdamW.builder(parameters).averageParameters(0.9).build()) {
      requireRefused("states", optimizer::step);
      more.close();
      requireRefused(
          "states",
          () -> {
            try (Parameters again = Parameters.builder().add("b", MEBI / 4).build()) {
              require(again.get("b").size() > 0, "it is empty");
              return optimizer.step();
            }
          });
    }
  }

  /// A state dict is limited too, and so are the states that are loaded from it.
  private static void loading() {
    try (Parameters parameters = parameters("a");
        Optimizer optimizer = AdamW.builder(parameters).build()) {
      optimizer.step();
      requireRefused("copies", optimizer::stateDict);
      optimizer.withStateDict(
          state -> {
            requireRefusedLoading(parameters, state);
            return null;
          });
    }
  }

  private static void requireRefusedLoading(Parameters parameters, StateDict state) {
    try (Optimizer other = AdamW.builder(parameters).learningRate(0.125).build()) {
      requireRefused(
          "states",
          () -> {
            other.loadStateDict(state, Map.of());
            return null;
          });
      require(other.stepCount(parameters.get("a")) == 0, "the count was loaded");
      require(
          other.paramGroups().getFirst().learningRate() == 0.125, "the learning rate was loaded");
    }
  }

  /// Memory of unreachable owners is collected before an allocation is rejected.
  private static void forgotten() {
    for (int i = 0; i < 20; i++) {
      AdamW.builder(parameters("p" + i)).build().step();
    }
  }
}
