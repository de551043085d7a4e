package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.OptimizerBuilder;
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
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What is saved comes back, to the bit, and what does not fit changes nothing.
class CheckpointTest {
  private static final Function<Iterable<Parameter>, OptimizerBuilder<?>> ADAMW =
      Trainee.KINDS.get("adamw");

  @TempDir Path temporary;

  private CheckpointFolder folder(int keep) {
    return CheckpointFolder.of(temporary.resolve("checkpoints"), keep);
  }

  static Set<String> kinds() {
    return Trainee.KINDS.keySet();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void continuesWithTheSameBitsOnAnotherBackendThreadsAndGroups(String kind) {
    var builder = Trainee.KINDS.get(kind);
    try (Trainee uninterrupted = new Trainee(builder, 33, 0, 70_000, 1);
        Trainee before = new Trainee(builder, 33, 0, 70_000, 1);
        Trainee after = new Trainee(before, builder)) {
      uninterrupted.trainTo(20);
      before.trainTo(11);
      Path file = folder(1).save(before.training(), 11, Map.of());
      after.trainTo(3);
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        assertEquals(List.of(), checkpoint.differences(after.training(), Map.of()));
        after.resume(checkpoint);
      }
      assertEquals(before.bits(), after.bits());
      after.trainTo(20);
      assertEquals(uninterrupted.bits(), after.bits());
    }
  }

  @Test
  void whatWasNeverSteppedIsSavedToo() {
    try (Trainee before = new Trainee(ADAMW, 5);
        Trainee after = new Trainee(ADAMW, 5)) {
      after.trainTo(4);
      try (Checkpoint checkpoint =
          Checkpoint.open(folder(1).save(before.training(), 0, Map.of("seed", "7\n\"é\"")))) {
        assertEquals(Map.of("seed", "7\n\"é\""), checkpoint.extras());
        assertTrue(checkpoint.libraryVersion().matches("\\d+\\.\\d+\\.\\d+.*"));
        assertEquals(before.optimizer.rule(), checkpoint.rule());
        after.resume(checkpoint);
      }
      assertEquals(before.bits(), after.bits());
    }
  }

  @Test
  void theSameStateGivesTheSameFile() throws Exception {
    try (Trainee trainee = new Trainee(ADAMW, 33, 7)) {
      trainee.trainTo(3);
      Path first = folder(2).save(trainee.training(), 3, Map.of("b", "1", "a", "2"));
      byte[] bytes = Files.readAllBytes(first);
      Path again = folder(2).save(trainee.training(), 3, Map.of("a", "2", "b", "1"));
      assertEquals(first, again);
      assertEquals(-1, Arrays.mismatch(bytes, Files.readAllBytes(again)));
    }
  }

  /// All differences at once, and not a bit has changed.
  @Test
  void whatDoesNotFitIsRefusedWithAllThatDiffers() {
    try (Trainee saved = new Trainee(ADAMW, 5, 6);
        Parameters others =
            Parameters.builder().add("layer0.weight", 5).add("layer1.weight", 7).build();
        Optimizer momentum = Sgd.builder(others).momentum(0.9).build()) {
      saved.trainTo(2);
      StringBuilder before = new StringBuilder(momentum.stateDict().toString());
      try (Checkpoint checkpoint =
          Checkpoint.open(folder(1).save(saved.training().withoutParameters(), 2, Map.of()))) {
        Training training = Training.of(momentum);
        List<String> differences = checkpoint.differences(training, Map.of());
        String all = String.join("\n", differences);
        assertTrue(all.contains("it is of the rule"), all);
        assertTrue(all.contains("'layer1.weight' has 6 elements, but 7 in the optimizer"), all);
        assertTrue(all.contains("without the parameters' data"), all);
        assertTrue(all.contains("saved with a scheduler, but the training has none"), all);
        var e = assertThrows(IllegalArgumentException.class, () -> checkpoint.load(training));
        for (String each : differences) {
          assertTrue(e.getMessage().contains(each), e.getMessage());
        }
        assertEquals(before.toString(), momentum.stateDict().toString());
        assertEquals(
            List.of("renaming names [nobody], but the state dict has"),
            checkpoint
                .differences(saved.training().withoutParameters(), Map.of("nobody", "x"))
                .stream()
                .map(each -> each.replaceAll("dict has .*", "dict has"))
                .filter(each -> each.startsWith("renaming"))
                .distinct()
                .toList());
      }
    }
  }

  @Test
  void parametersMayHaveOtherNames() {
    try (Trainee saved = new Trainee(ADAMW, 5, 6);
        Parameters others = Parameters.builder().add("a", 5).add("b", 6).build();
        Optimizer optimizer = AdamW.builder(others).build()) {
      saved.trainTo(4);
      Map<String, String> renaming = Map.of("layer0.weight", "a", "layer1.weight", "b");
      Training training = Training.of(optimizer);
      Training unscheduled = Training.of(saved.optimizer);
      try (Checkpoint checkpoint = Checkpoint.open(folder(1).save(unscheduled, 4, Map.of()))) {
        assertFalse(checkpoint.differences(training, Map.of()).isEmpty());
        checkpoint.load(training, renaming);
      }
      assertEquals(
          -1, others.get("b").data().mismatch(saved.parameters.get("layer1.weight").data()));
      assertEquals(4, optimizer.stepCount(others.get("a")));
    }
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

  /// The learning rates of 30 steps.
  private List<Double> rates(Function<Optimizer, Scheduler> scheduled, boolean interrupted) {
    List<Double> rates = new ArrayList<>();
    CheckpointFolder folder = CheckpointFolder.of(temporary.resolve("rates" + interrupted), 1);
    for (int from = 0; from < 30; from += interrupted ? 1 : 30) {
      try (Parameters p = Parameters.builder().add("w", 3).build();
          Optimizer optimizer = Sgd.builder(p).learningRate(0.7).build()) {
        Scheduler scheduler = scheduled.apply(optimizer);
        Training training = Training.of(optimizer).withScheduler(scheduler);
        if (from > 0) {
          try (Checkpoint checkpoint = Checkpoint.open(folder.latest().orElseThrow())) {
            checkpoint.load(training);
          }
        }
        for (int step = from; step < from + (interrupted ? 1 : 30); step++) {
          rates.add(optimizer.paramGroups().getFirst().learningRate());
          optimizer.step();
          scheduler.step(Math.max(10 - step, 5));
        }
        folder.save(training, from, Map.of());
      }
    }
    folder.files().forEach(CheckpointTest::delete);
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
  void aSnapshotIsOfTheMomentWhenItWasAskedFor() throws Exception {
    try (Trainee live = new Trainee(ADAMW, 300_000, 5);
        Trainee restored = new Trainee(ADAMW, 300_000, 5)) {
      live.trainTo(3);
      Map<String, String> then = live.bits();
      CompletableFuture<Path> saved = folder(1).saveInBackground(live.training(), 3, Map.of());
      live.trainTo(9);
      try (Checkpoint checkpoint = Checkpoint.open(saved.get())) {
        restored.resume(checkpoint);
      }
      assertEquals(then, restored.bits());
      restored.trainTo(9);
      assertEquals(live.bits(), restored.bits());
    }
  }

  @Test
  void whatFailsInTheBackgroundIsToldByTheFuture() throws Exception {
    Path file = Files.writeString(temporary.resolve("file"), "no folder");
    try (Trainee trainee = new Trainee(ADAMW, 5)) {
      CheckpointFolder none = CheckpointFolder.of(file, 1);
      var background = none.saveInBackground(trainee.training(), 1, Map.of());
      var e = assertThrows(ExecutionException.class, background::get);
      assertTrue(e.getCause() instanceof UncheckedIOException, e.toString());
      var direct =
          assertThrows(
              UncheckedIOException.class, () -> none.save(trainee.training(), 1, Map.of()));
      assertTrue(direct.getMessage().contains(file.toString()), direct.getMessage());
      assertEquals("no folder", Files.readString(file));
    }
  }

  @Test
  void theLastOnesStay() throws Exception {
    try (Trainee trainee = new Trainee(ADAMW, 5)) {
      CheckpointFolder folder = folder(3);
      assertTrue(folder.latest().isEmpty());
      for (int step = 8; step <= 12; step++) {
        trainee.trainTo(step);
        folder.save(trainee.training(), step, Map.of());
      }
      assertEquals(
          List.of(
              "step-000000000010.safetensors",
              "step-000000000011.safetensors",
              "step-000000000012.safetensors"),
          folder.files().stream().map(each -> each.getFileName().toString()).toList());
      var e =
          assertThrows(
              IllegalStateException.class, () -> folder.save(trainee.training(), 11, Map.of()));
      assertTrue(e.getMessage().contains("000012.safetensors is of a later step than 11"));
      assertThrows(
          IllegalArgumentException.class, () -> folder.save(trainee.training(), -1, Map.of()));
      Path left = temporary.resolve("checkpoints/.step-13.tmp");
      Files.writeString(left, "what a dead process left");
      assertEquals(3, folder.files().size());
      folder.save(trainee.training(), 14, Map.of());
      assertFalse(Files.exists(left));
      try (Checkpoint checkpoint = Checkpoint.open(folder.latest().orElseThrow())) {
        assertEquals(14, checkpoint.step());
      }
    }
  }

  @Test
  void progressIsToldUpToTheEnd() {
    try (Trainee trainee = new Trainee(ADAMW, 3 << 20)) {
      trainee.trainTo(1);
      List<Long> written = new ArrayList<>();
      List<Long> totals = new ArrayList<>();
      Path file =
          folder(1)
              .withProgress(
                  (bytes, total) -> {
                    written.add(bytes);
                    totals.add(total);
                  })
              .save(trainee.training(), 1, Map.of());
      assertEquals(written.stream().sorted().toList(), written);
      assertTrue(written.size() >= 9, written::toString);
      assertEquals(file.toFile().length(), written.getLast());
      assertEquals(Set.of(file.toFile().length()), Set.copyOf(totals));
      assertThrows(
          IllegalStateException.class,
          () ->
              folder(1)
                  .withProgress(
                      (bytes, total) -> {
                        throw new IllegalStateException("enough");
                      })
                  .save(trainee.training(), 2, Map.of()));
      assertEquals(List.of(file), folder(1).files());
      assertEquals(2, file.getParent().toFile().list().length, "the lock, and the checkpoint");
    }
  }

  @Test
  void savingsInTheBackgroundComeInTheirOrder() throws Exception {
    try (Trainee trainee = new Trainee(ADAMW, 50_000)) {
      CheckpointFolder folder = folder(2);
      List<CompletableFuture<Path>> saved = new ArrayList<>();
      for (int step = 1; step <= 8; step++) {
        trainee.trainTo(step);
        saved.add(folder.saveInBackground(trainee.training(), step, Map.of()));
      }
      trainee.trainTo(9);
      folder.save(trainee.training(), 9, Map.of());
      for (CompletableFuture<Path> each : saved) {
        each.get();
      }
      assertEquals(2, folder.files().size());
      try (Checkpoint checkpoint = Checkpoint.open(folder.latest().orElseThrow())) {
        assertEquals(9, checkpoint.step());
      }
    }
  }

  /// As after `shutdownNow`, when the last checkpoint is to be saved.
  @Test
  void anInterruptedThreadSavesToo() {
    try (Trainee trainee = new Trainee(ADAMW, 5)) {
      Thread.currentThread().interrupt();
      Path file = folder(1).save(trainee.training(), Long.MAX_VALUE, Map.of());
      assertTrue(Thread.interrupted());
      assertEquals(List.of(file), folder(1).files());
      Checkpoint.open(file).close();
    }
  }

  @Test
  void parametersThatNoScheduleDrivesMayBeRenamedToo() {
    try (Parameters p = Parameters.builder().add("a", 3).add("b", 3).build();
        Parameters q = Parameters.builder().add("a", 3).add("c", 3).build();
        Optimizer from = twoGroups(p);
        Optimizer to = twoGroups(q)) {
      Path file = folder(1).save(Training.of(from).withScheduler(ofFirst(from)), 1, Map.of());
      Training training = Training.of(to).withScheduler(ofFirst(to));
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        assertEquals(List.of(), checkpoint.differences(training, Map.of("b", "c")));
        checkpoint.load(training, Map.of("b", "c"));
      }
    }
  }

  private static Optimizer twoGroups(Parameters p) {
    List<Parameter> all = p.all();
    return Sgd.builder(all.subList(0, 1)).group(all.subList(1, 2), Map.of()).build();
  }

  private static Scheduler ofFirst(Optimizer optimizer) {
    return Scheduler.builder(optimizer)
        .drive(
            optimizer.paramGroups().getFirst(),
            Hyperparameter.LEARNING_RATE,
            Schedules.exponential(0.9))
        .build();
  }

  @Test
  void aTrainingMayGoOnWithAnotherSchedule() {
    try (Trainee trainee = new Trainee(ADAMW, 5)) {
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

  /// No later process would know it again.
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
        assertTrue(e.getMessage().contains("has no description of its own"), e.getMessage());
      }
      assertTrue(folder(1).files().isEmpty());
    }
  }

  @Test
  void dataThatCannotBeReachedLeaveEverythingAsItWas() throws Exception {
    try (Arena arena = Arena.ofConfined();
        Parameters source = Parameters.builder().add("w", 3).build();
        Optimizer saved = AdamW.builder(source).learningRate(0.5).build()) {
      Scheduler ofSaved = ofFirst(saved);
      saved.step();
      ofSaved.step();
      Path file = folder(1).save(Training.of(saved).withScheduler(ofSaved), 1, Map.of());
      Parameter confined = Parameter.of("w", 3, arena.allocate(12, 4));
      try (Optimizer optimizer = AdamW.builder(List.of(confined)).build();
          Checkpoint checkpoint = Checkpoint.open(file)) {
        Scheduler scheduler = ofFirst(optimizer);
        Training training = Training.of(optimizer).withScheduler(scheduler);
        String before = optimizer.stateDict() + " " + scheduler.state();
        var load = CompletableFuture.runAsync(() -> checkpoint.load(training));
        var e = assertThrows(ExecutionException.class, load::get);
        assertTrue(e.getCause() instanceof WrongThreadException, e.toString());
        assertEquals(before, optimizer.stateDict() + " " + scheduler.state());
        checkpoint.load(training);
        assertEquals(1, optimizer.stepCount(confined));
      }
    }
  }

  /// What another optimizer writes meanwhile may be torn, but never leaves a file that is refused.
  @Test
  void statesThatOthersChangeMeanwhileAreSavedWhole() throws Exception {
    Path shared = temporary.resolve("states");
    try (Parameters p = Parameters.builder().add("w", 1 << 20).build();
        Parameters q = Parameters.builder().add("w", 1 << 20).build();
        Optimizer saving = AdamW.builder(p).sharedStates(shared).build();
        Optimizer stepping = AdamW.builder(q).sharedStates(shared).build()) {
      AtomicBoolean done = new AtomicBoolean();
      var steps =
          CompletableFuture.runAsync(
              () -> {
                while (!done.get()) {
                  stepping.step();
                }
              });
      try {
        for (int step = 1; step <= 20; step++) {
          Checkpoint.open(folder(1).save(Training.of(saving), step, Map.of())).close();
        }
      } finally {
        done.set(true);
      }
      steps.get();
    }
  }

  @Test
  void aClosedOneLoadsNothing() {
    try (Trainee trainee = new Trainee(ADAMW, 5)) {
      Checkpoint checkpoint = Checkpoint.open(folder(1).save(trainee.training(), 1, Map.of()));
      checkpoint.close();
      checkpoint.close();
      assertThrows(IllegalStateException.class, () -> checkpoint.load(trainee.training()));
    }
  }
}
