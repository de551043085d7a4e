package dev.panoptim.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.ParameterGroup;
import dev.panoptim.optim.Sgd;
import dev.panoptim.rule.Hyperparameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;

/// Optimizers with several groups, for tests of schedulers. They are closed after each test.
abstract class SchedulerFixture {
  static final Hyperparameter RATE = Hyperparameter.LEARNING_RATE;
  static final Hyperparameter MOMENTUM = Hyperparameter.MOMENTUM;

  final Parameters parameters = Parameters.builder().add("a", 3).add("b", 2).add("c", 1).build();

  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
    parameters.close();
  }

  <T extends AutoCloseable> T closing(T opened) {
    open.add(opened);
    return opened;
  }

  /// The parameters a and b in one group with learning rate 0.1, c in another one with 0.4.
  Optimizer twoGroups() {
    return closing(
        Sgd.builder(List.of(parameters.get("a"), parameters.get("b")))
            .learningRate(0.1)
            .momentum(0.9)
            .group(List.of(parameters.get("c")), Map.of(RATE, 0.4))
            .build());
  }

  /// Each parameter in its own group, in another order, with learning rate 0.3.
  Optimizer threeGroups() {
    return closing(
        Sgd.builder(List.of(parameters.get("c")))
            .learningRate(0.3)
            .momentum(0.9)
            .group(List.of(parameters.get("b")), Map.of())
            .group(List.of(parameters.get("a")), Map.of())
            .build());
  }

  static ParameterGroup group(Optimizer optimizer, String name) {
    return optimizer.paramGroups().stream()
        .filter(each -> each.parameters().stream().anyMatch(p -> p.name().equals(name)))
        .findFirst()
        .orElseThrow();
  }

  static void assertBits(double expected, double found, String what) {
    assertEquals(Double.doubleToRawLongBits(expected), Double.doubleToRawLongBits(found), what);
  }

  static Stream<String> cases() {
    return ScheduleCases.all().keySet().stream();
  }

  static UnaryOperator<Scheduler.Builder> drivenBy(String name, boolean recurrent) {
    Schedule schedule = ScheduleCases.all().get(name);
    return builder ->
        builder.drive(name.endsWith("momentum") ? MOMENTUM : RATE, schedule).recurrent(recurrent);
  }
}
