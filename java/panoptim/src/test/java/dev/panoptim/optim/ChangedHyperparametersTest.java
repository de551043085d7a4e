package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.Update;
import dev.panoptim.schedule.Scheduler;
import dev.panoptim.schedule.Schedules;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/// Coefficients are kept from step to step, and the native backend writes only those that have
/// changed. However a hyperparameter changes, the next step uses the new value. The expected bits
/// come from the scalar backend, which reads all coefficients at each step.
class ChangedHyperparametersTest {
  private static final int SIZE = 33;

  /// An optimizer of a native or scalar backend with its parameters.
  private static final class Training implements AutoCloseable {
    final Parameters parameters =
        Parameters.builder().add("a", MatrixShapes.wide(SIZE)).add("b", 1, 5).build();
    final Optimizer optimizer;

    Training(Case tested, Backend backend) {
      for (Parameter each : parameters) {
        for (long i = 0; i < each.size(); i++) {
          each.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, 1 + i * 0.01f);
          each.gradient().setAtIndex(ValueLayout.JAVA_FLOAT, i, (i % 7 - 3) * 0.1f);
        }
      }
      optimizer = tested.builder().apply(parameters).backend(backend).build();
    }

    void set(Hyperparameter name, double value) {
      optimizer.paramGroups().forEach(group -> group.set(name, value));
    }

    List<byte[]> bytes() {
      List<byte[]> all = new ArrayList<>();
      for (Parameter each : parameters) {
        all.add(each.data().toArray(ValueLayout.JAVA_BYTE));
        optimizer
            .state(each)
            .values()
            .forEach(state -> all.add(state.toArray(ValueLayout.JAVA_BYTE)));
      }
      return all;
    }

    @Override
    public void close() {
      optimizer.close();
      parameters.close();
    }
  }

  private static void assertSame(Training expected, Training actual, String what) {
    List<byte[]> bytes = expected.bytes();
    List<byte[]> others = actual.bytes();
    assertEquals(bytes.size(), others.size(), what);
    for (int i = 0; i < bytes.size(); i++) {
      assertArrayEquals(bytes.get(i), others.get(i), what);
    }
  }

  /// Runs the same training on both backends, and compares the bits after each step.
  private static void compare(Case tested, int steps, Consumer<Training> beforeAStep) {
    try (Training scalar = new Training(tested, Backends.scalar());
        Training code = new Training(tested, Backends.nativeCode())) {
      for (int step = 0; step < steps; step++) {
        beforeAStep.accept(scalar);
        scalar.optimizer.step();
        beforeAStep.accept(code);
        code.optimizer.step();
        assertSame(scalar, code, tested.name() + ", step " + step);
      }
    }
  }

  /// A random legal value. Most hyperparameters change by at most half.
  private static double changed(Rule rule, Hyperparameter name, double value, Random random) {
    double other = value * (0.5 + random.nextDouble());
    return switch (name) {
      case WEIGHT_DECAY -> random.nextInt(4) == 0 ? 0 : random.nextDouble() * 0.1;
      case LEARNING_RATE ->
          random.nextInt(4) == 0 && rule.update() != Update.PROXIMAL
              ? 0
              : 1e-3 + random.nextDouble() * 0.1;
      case BETA1, BETA2, BETA3, NU1, NU2, ETA_MINUS -> random.nextDouble();
      case MOMENTUM, DAMPENING -> Math.min(1, other);
      case ETA_PLUS -> Math.max(1, other);
      case ITERATIONS -> 1 + random.nextInt(6);
      case CLIP_THRESHOLD -> Math.max(1, other);
      case LARGEST_TRUST_RATIO, RELATIVE_STEP -> Math.min(Float.MAX_VALUE, other);
      default -> other;
    };
  }

  @Test
  void anyHyperparameterCanChangeBeforeAnyStep() {
    for (Case tested : OptimizerCases.cases()) {
      long seed = System.nanoTime();
      Map<Training, Random> randoms = new HashMap<>();
      try {
        compare(
            tested,
            60,
            training -> {
              Random random = randoms.computeIfAbsent(training, any -> new Random(seed));
              ParameterGroup group = training.optimizer.paramGroups().getFirst();
              List<Hyperparameter> names = group.hyperparameters().stream().sorted().toList();
              if (random.nextBoolean()) {
                Hyperparameter name = names.get(random.nextInt(names.size()));
                training.set(name, changed(group.rule(), name, group.get(name), random));
              }
            });
      } catch (AssertionError e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
  }

  @Test
  void aScheduleChangesHyperparameters() {
    Case adamW = new Case("AdamW", p -> AdamW.builder(p).weightDecay(0.1), List.of());
    Map<Training, Scheduler> schedulers = new HashMap<>();
    compare(
        adamW,
        40,
        training -> {
          Scheduler scheduler = schedulers.get(training);
          if (scheduler == null) {
            schedulers.put(
                training,
                Scheduler.builder(training.optimizer)
                    .drive(Hyperparameter.LEARNING_RATE, Schedules.exponential(0.9))
                    .build());
          } else {
            scheduler.step();
          }
        });
  }

  @Test
  void aStateDictChangesHyperparameters() {
    Case adamW = new Case("AdamW", p -> AdamW.builder(p), List.of());
    Map<Training, StateDict> kept = new HashMap<>();
    Map<Training, Integer> steps = new HashMap<>();
    compare(
        adamW,
        20,
        training -> {
          int step = steps.merge(training, 1, Integer::sum);
          if (step == 5) {
            kept.put(training, training.optimizer.stateDict());
            training.set(Hyperparameter.LEARNING_RATE, 0.5);
            training.set(Hyperparameter.BETA2, 0.5);
            training.set(Hyperparameter.WEIGHT_DECAY, 0);
          } else if (step == 12) {
            training.optimizer.loadStateDict(kept.get(training));
            assertEquals(1e-3, training.optimizer.paramGroups().getFirst().learningRate());
          }
        });
  }

  /// Two optimizers that step in turn get the same bits as each of them alone.
  @Test
  void twoOptimizersShareNothing() {
    Case fast = new Case("fast", p -> AdamW.builder(p).learningRate(0.1), List.of());
    Case slow =
        new Case("slow", p -> AdamW.builder(p).learningRate(1e-4).betas(0.5, 0.9), List.of());
    try (Training first = new Training(fast, Backends.nativeCode());
        Training second = new Training(slow, Backends.nativeCode());
        Training firstAlone = new Training(fast, Backends.scalar());
        Training secondAlone = new Training(slow, Backends.scalar())) {
      for (int step = 0; step < 20; step++) {
        if (step == 10) {
          first.set(Hyperparameter.WEIGHT_DECAY, 0.5);
        }
        first.optimizer.step();
        second.optimizer.step();
      }
      for (int step = 0; step < 20; step++) {
        if (step == 10) {
          firstAlone.set(Hyperparameter.WEIGHT_DECAY, 0.5);
        }
        firstAlone.optimizer.step();
        secondAlone.optimizer.step();
      }
      assertSame(firstAlone, first, "fast");
      assertSame(secondAlone, second, "slow");
    }
  }
}
