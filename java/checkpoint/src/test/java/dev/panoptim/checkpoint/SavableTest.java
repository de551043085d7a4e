package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Sgd;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.schedule.ReduceOnPlateau;
import dev.panoptim.schedule.Scheduler;
import dev.panoptim.schedule.Schedules;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A training that cannot be saved is rejected before the folder is touched: names that no file can
/// hold, and memory that has been freed.
class SavableTest {
  private static final long BYTES = 12;

  @TempDir Path temporary;

  private CheckpointFolder folder() {
    return CheckpointFolder.of(temporary.resolve("checkpoints"), 1);
  }

  private void assertNothingWritten() {
    assertFalse(Files.exists(temporary.resolve("checkpoints")));
  }

  private static void assertSays(Class<? extends Throwable> type, String words, Runnable action) {
    Throwable thrown = assertThrows(type, action::run);
    assertTrue(thrown.getMessage().contains(words), thrown.getMessage());
  }

  @Test
  void namesThatUtf8CannotHoldAreRejectedBeforeTheTraining() {
    for (String name : List.of("\ud83d", "w\ude00", "\ude00\ud83d", "a\ud83db")) {
      try (Parameters all = Parameters.builder().add("good", 3).add(name, 3).build();
          Optimizer optimizer = Sgd.builder(all).build()) {
        optimizer.step();
        assertSays(
            IllegalArgumentException.class,
            "the name of parameter '" + name + "' has an unpaired surrogate",
            () -> Training.of(optimizer));
      }
    }
    try (Parameters all =
            Parameters.builder().add("\ud83d\ude00/\u0000\"\\", 3).add("", 3).build();
        Optimizer optimizer = Adam.builder(all).build()) {
      optimizer.step();
      Path file = folder().save(Training.of(optimizer), 1, Map.of());
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        checkpoint.load(Training.of(optimizer));
      }
    }
  }

  /// The bad name appears later, in a group that is added to the optimizer.
  @Test
  void namesThatComeLaterAreRejectedBeforeTheFolderIsTouched() {
    try (Parameters all = Parameters.builder().add("good", 3).build();
        Parameters late = Parameters.builder().add("\ud83d", 3).build();
        Optimizer optimizer = Sgd.builder(all).build()) {
      Training training = Training.of(optimizer);
      optimizer.addParamGroup(late, Map.of());
      assertSays(
          IllegalArgumentException.class,
          "an unpaired surrogate",
          () -> folder().save(training, 1, Map.of()));
      assertSays(
          IllegalArgumentException.class,
          "an unpaired surrogate",
          () -> folder().saveInBackground(training, 1, Map.of()));
      assertNothingWritten();
    }
  }

  @Test
  void extrasThatUtf8CannotHoldAreNamed() {
    try (Parameters all = Parameters.builder().add("w", 3).build();
        Optimizer optimizer = Sgd.builder(all).build()) {
      Training training = Training.of(optimizer);
      assertSays(
          IllegalArgumentException.class,
          "the value of 'seed' in the extras has an unpaired surrogate",
          () -> folder().save(training, 1, Map.of("seed", "7\ud83d")));
      assertSays(
          IllegalArgumentException.class,
          "of the extras has an unpaired surrogate",
          () -> folder().save(training, 1, Map.of("\ude00", "7")));
      assertNothingWritten();
    }
  }

  /// Each of two names would fit alone, but both with the states of an optimizer are too long.
  @Test
  void namesThatAreTooLongForAHeaderAreRejectedBeforeTheTraining() {
    String half = "x".repeat(10_100_000);
    try (Parameters all = Parameters.builder().add("a" + half, 1).add("b" + half, 1).build();
        Optimizer adam = Adam.builder(all).build();
        Optimizer sgd = Sgd.builder(all).build()) {
      assertSays(
          IllegalArgumentException.class,
          "the names of the 2 parameters take at least 1010004",
          () -> Training.of(adam));
      assertEquals(sgd, Training.of(sgd).optimizer(), "without states, they fit");
    }
  }

  /// The length of the extras is known only when the training is saved.
  @Test
  void extrasThatAreTooLongForAHeaderAreRejectedBeforeTheFolderIsTouched() {
    try (Parameters all = Parameters.builder().add("w", 3).build();
        Optimizer optimizer = Sgd.builder(all).build()) {
      // Each character is escaped twice and becomes seven bytes.
      String long15 = "\u0001".repeat(15_000_000);
      assertSays(
          IllegalArgumentException.class,
          "the checkpoint of step 1 cannot be saved: names, shapes and metadata take a header of"
              + " more than 100000000 bytes",
          () -> folder().save(Training.of(optimizer), 1, Map.of("more", long15)));
      assertNothingWritten();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void deadDataAreNamedBeforeTheFolderIsTouched(boolean inBackground) {
    try (Arena good = Arena.ofShared();
        Arena confined = Arena.ofConfined()) {
      Arena other = Arena.ofShared();
      Parameter first = Parameter.of("first", 3, good.allocate(BYTES, 4));
      Parameter last = Parameter.of("last", 3, other.allocate(BYTES, 4));
      Parameter kept = Parameter.of("kept", 3, confined.allocate(BYTES, 4));
      for (Parameter each : List.of(first, last, kept)) {
        each.setGradient(good.allocate(BYTES, 4));
      }
      try (Optimizer optimizer = AdamW.builder(List.of(first, last)).build();
          Optimizer ofConfined = AdamW.builder(List.of(first, kept)).build()) {
        optimizer.step();
        ofConfined.step();
        other.close();
        assertSays(
            IllegalStateException.class,
            "data of 'last' lies in an arena that has been closed",
            () -> save(optimizer, inBackground));
        var elsewhere = CompletableFuture.runAsync(() -> save(ofConfined, inBackground));
        Throwable thrown = assertThrows(ExecutionException.class, elsewhere::get).getCause();
        assertEquals(WrongThreadException.class, thrown.getClass(), thrown::toString);
        assertTrue(
            thrown.getMessage().startsWith("data of 'kept' lies in an arena that is confined"),
            thrown.getMessage());
        assertNothingWritten();
        // The states alone are still alive.
        folder().save(Training.of(optimizer).withoutParameters(), 1, Map.of());
        save(ofConfined, inBackground);
        assertEquals(1, folder().files().size());
      }
    }
  }

  private void save(Optimizer optimizer, boolean inBackground) {
    if (inBackground) {
      folder().saveInBackground(Training.of(optimizer), 2, Map.of()).join();
    } else {
      folder().save(Training.of(optimizer), 2, Map.of());
    }
  }

  @Test
  void aClosedCheckpointsStatesAreNotLoaded() {
    try (Parameters all = Parameters.builder().add("a", 3).add("b", 3).build();
        Optimizer optimizer = Adam.builder(all).build()) {
      optimizer.step();
      Checkpoint checkpoint = Checkpoint.open(folder().save(Training.of(optimizer), 1, Map.of()));
      var state = checkpoint.stateDict();
      var data = checkpoint.parameters();
      checkpoint.close();
      assertSays(
          IllegalStateException.class,
          "the state dict's firstMoment of 'a' lies in an arena that has been closed",
          () -> optimizer.loadStateDict(state));
      assertSays(
          IllegalStateException.class,
          "the source of a copy to the data of 'b' lies in an arena that has been closed",
          () -> all.get("b").copyDataFrom(data.get("b")));
    }
  }

  private static Scheduler scheduler(Optimizer optimizer) {
    return Scheduler.builder(optimizer)
        .drive(Hyperparameter.LEARNING_RATE, Schedules.exponential(0.9))
        .build();
  }

  @Test
  void aSchedulerOfAnotherOptimizerIsRejectedWithBothNamed() {
    try (Parameters p = Parameters.builder().add("a", 3).add("b", 3).build();
        Parameters q = Parameters.builder().add("c", 3).build();
        Optimizer ofP = Sgd.builder(p).build();
        Optimizer ofQ = Sgd.builder(q).build();
        Optimizer alike = Sgd.builder(p).build()) {
      Training training = Training.of(ofP);
      Scheduler others = scheduler(ofQ);
      assertSays(
          IllegalArgumentException.class,
          "the scheduler drives the optimizer Optimizer[1 parameters in 1 groups, backend native]"
              + " of [c], but the training is of the optimizer Optimizer[2 parameters in 1 groups,"
              + " backend native] of [a, b]",
          () -> training.withScheduler(others));
      // An optimizer over the same parameters is still a different optimizer.
      assertSays(
          IllegalArgumentException.class,
          "the scheduler drives the optimizer",
          () -> training.withoutParameters().withScheduler(scheduler(alike)));
      Scheduler plateau =
          Scheduler.builder(ofQ)
              .drive(
                  ofQ.paramGroups().getFirst(),
                  Hyperparameter.LEARNING_RATE,
                  ReduceOnPlateau.builder().build())
              .build();
      assertThrows(IllegalArgumentException.class, () -> training.withScheduler(plateau));
      Scheduler own = scheduler(ofP);
      assertEquals(own, training.withScheduler(own).scheduler().orElseThrow());
      assertEquals(ofP, own.optimizer());
    }
  }

  @Test
  void aFolderInAnArchiveIsRejected() throws IOException {
    Path archive = temporary.resolve("archive.zip");
    try (FileSystem zip = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
      Path inside = zip.getPath("/checkpoints");
      assertSays(
          IllegalArgumentException.class,
          "folder /checkpoints is in a file system of the kind 'jar', but must be in the default",
          () -> CheckpointFolder.of(inside, 1));
      assertSays(
          UncheckedIOException.class,
          "cannot map /checkpoints: it is in a file system of the kind 'jar'",
          () -> Checkpoint.open(inside));
    }
  }

  @Test
  void aDirectoryIsNoCheckpoint() {
    var thrown = assertThrows(UncheckedIOException.class, () -> Checkpoint.open(temporary));
    assertEquals(
        "cannot map " + temporary + ": it is a directory, but must be a regular file",
        thrown.getMessage());
  }
}
