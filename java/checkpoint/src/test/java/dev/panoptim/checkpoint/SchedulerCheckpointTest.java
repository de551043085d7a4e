package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Sgd;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.schedule.Annealing;
import dev.panoptim.schedule.CyclicMode;
import dev.panoptim.schedule.DecayShape;
import dev.panoptim.schedule.ReduceOnPlateau;
import dev.panoptim.schedule.Schedule;
import dev.panoptim.schedule.Scheduler;
import dev.panoptim.schedule.Schedules;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Schedulers are saved with their training and continue in the middle of every schedule.
class SchedulerCheckpointTest {
  @TempDir Path temporary;

  private CheckpointFolder folder(int keep) {
    return CheckpointFolder.of(temporary.resolve("checkpoints"), keep);
  }

  static List<Schedule> schedules() {
    return List.of(
        Schedules.constant(),
        Schedules.constantFactor(0.5, 12),
        Schedules.step(7, 0.5),
        Schedules.multiStep(List.of(5L, 11L, 11L), 0.5),
        Schedules.exponential(0.9),
        Schedules.polynomial(20, 1.5),
        Schedules.linear(0.1, 1, 25),
        Schedules.cosineAnnealing(7, 0.001),
        Schedules.warmRestarts(4, 2, 0.001),
        Schedules.oneCycle(0.5, 40),
        Schedules.oneCycleMomentum(0.1, 0.9, 40, 0.3, Annealing.LINEAR, true),
        Schedules.cyclic(0.1, 0.9, 5, 7, CyclicMode.EXP_RANGE, 0.99),
        Schedules.cyclicMomentum(0.1, 0.9, 5, 7, CyclicMode.TRIANGULAR2, 1),
        Schedules.warmupStableDecay(5, 10, 10, DecayShape.ONE_MINUS_SQRT, 0.1),
        Schedules.inverseSquareRoot(9),
        Schedules.lambda("falls", step -> 1.0 / (1 + step)),
        Schedules.multiplicative("shrinks", step -> 0.99),
        Schedules.chained(Schedules.exponential(0.95), Schedules.constantFactor(0.3, 9)),
        Schedules.sequential(
            List.of(Schedules.linear(0.1, 1, 5), Schedules.step(3, 0.5)), List.of(5L)),
        Schedules.warmupThen(6, Schedules.cosineAnnealing(24, 0)));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void schedulesContinueInTheMiddle(boolean recurrent) {
    for (Schedule each : schedules()) {
      Function<Optimizer, Scheduler> scheduler =
          o ->
              Scheduler.builder(o)
                  .drive(Hyperparameter.LEARNING_RATE, each)
                  .recurrent(recurrent)
                  .build();
      assertEquals(rates(scheduler, false), rates(scheduler, true), each::toString);
    }
  }

  @Test
  void aPlateauContinuesInTheMiddle() {
    Function<Optimizer, Scheduler> scheduler =
        o ->
            Scheduler.builder(o)
                .drive(
                    Hyperparameter.LEARNING_RATE,
                    ReduceOnPlateau.builder().patience(2).cooldown(1).build())
                .build();
    List<Double> rates = rates(scheduler, false);
    assertTrue(rates.getLast() < rates.getFirst());
    assertEquals(rates, rates(scheduler, true));
  }

  /// The learning rates of 30 steps. If `interrupted`, each step runs in a new training that loads
  /// the checkpoint of the step before.
  private List<Double> rates(Function<Optimizer, Scheduler> scheduled, boolean interrupted) {
    List<Double> rates = new ArrayList<>();
    CheckpointFolder folder = CheckpointFolder.of(temporary.resolve("rates" + interrupted), 1);
    int uninterrupted = 30;
    if (interrupted) {
      uninterrupted = Boolean.getBoolean("panoptim.exhaustive") ? 1 : 7;
    }
    for (int from = 0; from < 30; from += uninterrupted) {
      try (Parameters p = Parameters.builder().add("w", 3).build();
          Optimizer optimizer = Sgd.builder(p).learningRate(0.7).build()) {
        Scheduler scheduler = scheduled.apply(optimizer);
        Training training = Training.of(optimizer).withScheduler(scheduler);
        if (from > 0) {
          try (Checkpoint checkpoint = Checkpoint.open(folder.latest().orElseThrow())) {
            checkpoint.load(training);
          }
        }
        for (int step = from; step < Math.min(from + uninterrupted, 30); step++) {
          rates.add(optimizer.paramGroups().getFirst().learningRate());
          optimizer.step();
          scheduler.step(Math.max(10 - step, 5));
        }
        folder.save(training, from, Map.of());
      }
    }
    folder.files().forEach(SchedulerCheckpointTest::delete);
    return rates;
  }

  private static void delete(Path file) {
    try {
      Files.delete(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aTrainingMayContinueWithAnotherSchedule() {
    try (Trainee trainee = new Trainee(Trainee.ADAMW, 5)) {
      trainee.trainTo(3);
      double rate = trainee.optimizer.paramGroups().getFirst().learningRate();
      Path file = folder(1).save(trainee.training(), 3, Map.of());
      trainee.trainTo(7);
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        checkpoint.load(Training.of(trainee.optimizer).withoutScheduler());
      }
      assertEquals(rate, trainee.optimizer.paramGroups().getFirst().learningRate());
    }
  }

  /// A later process could not recognize a schedule without a description.
  @Test
  void aScheduleWithoutDescriptionIsNotSaved() {
    try (Parameters p = Parameters.builder().add("w", 3).build();
        Optimizer optimizer = Sgd.builder(p).build()) {
      Schedule bare = (step, initial) -> initial;
      for (Schedule each : List.of(bare, Schedules.chained(bare, Schedules.constant()))) {
        Scheduler scheduler =
            Scheduler.builder(optimizer).drive(Hyperparameter.LEARNING_RATE, each).build();
        Training training = Training.of(optimizer).withScheduler(scheduler);
        var e =
            assertThrows(IllegalStateException.class, () -> folder(1).save(training, 1, Map.of()));
        assertTrue(e.getMessage().contains("has no description"), e.getMessage());
      }
      assertTrue(folder(1).files().isEmpty());
    }
  }
}
