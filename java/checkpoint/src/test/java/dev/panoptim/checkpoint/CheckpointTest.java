package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.GradientSource;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.ParameterGroup;
import dev.panoptim.optim.Sgd;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.safetensors.SafetensorsFile;
import dev.panoptim.schedule.Scheduler;
import dev.panoptim.schedule.Schedules;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A loaded training is equal to the saved one bit by bit. A training that does not fit is rejected
/// and not changed.
class CheckpointTest {
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

  /// Saved between `eval()` and `train()`, while the parameters are averages.
  @ParameterizedTest
  @ValueSource(strings = {"schedule-free-sgd", "schedule-free-adamw"})
  void continuesAfterAnEvaluationThatWasSaved(String kind) {
    var builder = Trainee.KINDS.get(kind);
    try (Trainee uninterrupted = new Trainee(builder, 33, 70_000);
        Trainee before = new Trainee(builder, 33, 70_000);
        Trainee after = new Trainee(before, builder)) {
      uninterrupted.trainTo(20);
      before.trainTo(11);
      before.optimizer.eval();
      Path file = folder(1).save(before.training(), 11, Map.of());
      after.trainTo(3);
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        after.resume(checkpoint);
      }
      assertEquals(before.bits(), after.bits());
      before.optimizer.train();
      after.optimizer.train();
      assertEquals(before.bits(), after.bits());
      before.trainTo(20);
      after.trainTo(20);
      assertEquals(before.bits(), after.bits());
    }
  }

  /// States exist though no step has been made.
  @Test
  void continuesFromAHessianBeforeTheFirstStep() {
    var builder = Trainee.KINDS.get("sophia");
    try (Trainee before = new Trainee(builder, 33, 700);
        Trainee after = new Trainee(before, builder)) {
      before.updateHessian();
      Path file = folder(1).save(before.training(), 0, Map.of());
      after.trainTo(3);
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        after.resume(checkpoint);
      }
      assertEquals(before.bits(), after.bits());
      before.trainTo(9);
      after.trainTo(9);
      assertEquals(before.bits(), after.bits());
    }
  }

  @Test
  void eachRuleIsStoredOnceAndEachParameterNamesItsOwn() throws Exception {
    try (Trainee mixed = new Trainee(Trainee.KINDS.get("mixed"), 3, 4, 5)) {
      mixed.trainTo(2);
      Path file = folder(1).save(mixed.training(), 2, Map.of());
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        var e = assertThrows(IllegalStateException.class, checkpoint::rule);
        assertTrue(e.getMessage().contains("has 2 different rules"), e.getMessage());
        for (ParameterGroup group : mixed.optimizer.paramGroups()) {
          String name = group.parameters().getFirst().name();
          assertEquals(group.rule(), checkpoint.stateDict().parameters().get(name).rule());
        }
        String json = checkpoint.document().toJson();
        assertEquals(2, json.split("\"firstMoment\":", -1).length - 1, json);
        assertEquals(2, json.split("\"rule\":0,", -1).length - 1, json);
        assertEquals(1, json.split("\"rule\":1,", -1).length - 1, json);
        for (String wrong : List.of("2", "-1")) {
          String changed = json.replace("\"rule\":1,", "\"rule\":" + wrong + ",");
          var refused =
              assertThrows(IllegalArgumentException.class, () -> TrainingDocument.parse(changed));
          assertTrue(
              refused.getMessage().contains("rule is " + wrong + ", but must be the place of one"),
              refused.getMessage());
        }
      }
      try (Trainee other = new Trainee(Trainee.ADAMW, 3, 4, 5);
          Checkpoint checkpoint = Checkpoint.open(file)) {
        List<String> differences = checkpoint.differences(other.training(), Map.of());
        assertTrue(
            differences.stream()
                .anyMatch(each -> each.startsWith("'layer1.weight': it is of the rule")),
            differences::toString);
        String before = other.bits().toString();
        assertThrows(IllegalArgumentException.class, () -> other.resume(checkpoint));
        assertEquals(before, other.bits().toString());
      }
    }
  }

  @Test
  void aTrainingWithoutStepsIsSavedToo() {
    try (Trainee before = new Trainee(Trainee.ADAMW, 5);
        Trainee after = new Trainee(Trainee.ADAMW, 5)) {
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
    try (Trainee trainee = new Trainee(Trainee.ADAMW, 33, 7)) {
      trainee.trainTo(3);
      Path first = folder(2).save(trainee.training(), 3, Map.of("b", "1", "a", "2"));
      byte[] bytes = Files.readAllBytes(first);
      Path again = folder(2).save(trainee.training(), 3, Map.of("a", "2", "b", "1"));
      assertEquals(first, again);
      assertEquals(-1, Arrays.mismatch(bytes, Files.readAllBytes(again)));
    }
  }

  /// The message lists all differences at once, and no bit has changed.
  @Test
  void aMisfitIsRejectedWithAllDifferences() {
    try (Trainee saved = new Trainee(Trainee.ADAMW, 5, 6);
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

  /// A checkpoint with another shape is rejected. A checkpoint is loaded if its shape or the
  /// parameter's is only the number of elements.
  @Test
  void shapesAreSavedAndCompared() {
    try (Parameters saved = Parameters.builder().add("w", 3, 4).build();
        Parameters transposed = Parameters.builder().add("w", 4, 3).build();
        Parameters flat = Parameters.builder().add("w", 12).build();
        Arena arena = Arena.ofConfined();
        Optimizer optimizer = AdamW.builder(saved).build();
        Optimizer ofTransposed = AdamW.builder(transposed).build();
        Optimizer ofFlat = AdamW.builder(flat).build()) {
      saved.get("w").data().fill((byte) 1);
      optimizer.step();
      Path file = folder(3).save(Training.of(optimizer), 1, Map.of());
      SafetensorsFile.map(file, arena)
          .tensors()
          .values()
          .forEach(each -> assertEquals(List.of(3L, 4L), each.shape(), each.name()));
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        assertEquals(List.of(3L, 4L), checkpoint.stateDict().parameters().get("w").shape());
        assertEquals(
            List.of("'w' has the shape [3, 4], but [4, 3] in the optimizer"),
            checkpoint.differences(Training.of(ofTransposed), Map.of()));
        checkpoint.load(Training.of(ofFlat));
      }
      assertEquals(-1, saved.get("w").data().mismatch(flat.get("w").data()));
      ofFlat.step();
      try (Checkpoint checkpoint =
          Checkpoint.open(folder(3).save(Training.of(ofFlat), 2, Map.of()))) {
        checkpoint.load(Training.of(optimizer));
      }
      assertEquals(-1, flat.get("w").data().mismatch(saved.get("w").data()));
      assertEquals(2, optimizer.stepCount(saved.get("w")));
    }
  }

  /// Nothing is read or written at an address whose memory another library has freed.
  @Test
  void parametersWhoseDataHaveMovedAreNeitherSavedNorLoaded() {
    try (Parameters p = Parameters.builder().add("w", 5).build();
        Optimizer optimizer = AdamW.builder(p).build()) {
      optimizer.step();
      Path file = folder(1).save(Training.of(optimizer), 1, Map.of());
      p.get("w")
          .setGradientSource(
              new GradientSource() {
                @Override
                public long gradientAddress() {
                  return NO_GRADIENT;
                }

                @Override
                public void dropGradient() {}

                @Override
                public void requireInPlace() {
                  throw new IllegalStateException("the data of w have moved");
                }
              });
      Training training = Training.of(optimizer);
      assertThrows(IllegalStateException.class, () -> folder(1).save(training, 2, Map.of()));
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        assertThrows(IllegalStateException.class, () -> checkpoint.load(training));
      }
      assertEquals(1, optimizer.stepCount(p.get("w")));
    }
  }

  @Test
  void thePlaceOfEpsilonIsSavedAndCompared() {
    try (Parameters p = Parameters.builder().add("w", 5).build();
        Optimizer before = AdamW.builder(p).epsilonBeforeCorrection(true).build();
        Optimizer same = AdamW.builder(p).epsilonBeforeCorrection(true).build();
        Optimizer after = AdamW.builder(p).build()) {
      before.step();
      Path file = folder(1).save(Training.of(before), 1, Map.of());
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        List<String> differences = checkpoint.differences(Training.of(after), Map.of());
        assertEquals(1, differences.size());
        assertTrue(
            differences.getFirst().contains("after epsilon is added"), differences.getFirst());
        checkpoint.load(Training.of(same));
      }
      assertEquals(1, same.stepCount(p.get("w")));
      assertEquals(before.rule(), same.rule());
    }
  }

  @Test
  void parametersMayHaveOtherNames() {
    try (Trainee saved = new Trainee(Trainee.ADAMW, 5, 6);
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
  void inaccessibleDataLeaveEverythingUnchanged() throws Exception {
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

  @Test
  void aClosedCheckpointLoadsNothing() {
    try (Trainee trainee = new Trainee(Trainee.ADAMW, 5)) {
      Checkpoint checkpoint = Checkpoint.open(folder(1).save(trainee.training(), 1, Map.of()));
      checkpoint.close();
      checkpoint.close();
      assertThrows(IllegalStateException.class, () -> checkpoint.load(trainee.training()));
    }
  }
}
