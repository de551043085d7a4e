package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Saving to a folder: in the background, with progress, with a number of checkpoints to keep.
class CheckpointFolderTest {
  @TempDir Path temporary;

  private CheckpointFolder folder(int keep) {
    return CheckpointFolder.of(temporary.resolve("checkpoints"), keep);
  }

  @Test
  void aBackgroundSaveHasTheStateOfItsCall() throws Exception {
    try (Trainee live = new Trainee(Trainee.ADAMW, 300_000, 5);
        Trainee restored = new Trainee(Trainee.ADAMW, 300_000, 5)) {
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
  void theFutureReportsAFailureInTheBackground() throws Exception {
    Path file = Files.writeString(temporary.resolve("file"), "no folder");
    try (Trainee trainee = new Trainee(Trainee.ADAMW, 5)) {
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
  void theLatestCheckpointsAreKept() throws Exception {
    try (Trainee trainee = new Trainee(Trainee.ADAMW, 5)) {
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
  void progressIsReportedToTheEnd() {
    try (Trainee trainee = new Trainee(Trainee.ADAMW, 3 << 20)) {
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
  void backgroundSavesKeepTheirOrder() throws Exception {
    try (Trainee trainee = new Trainee(Trainee.ADAMW, 50_000)) {
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

  /// A server's `shutdownNow` interrupts the thread that saves the last checkpoint.
  @Test
  void anInterruptedThreadSavesToo() {
    try (Trainee trainee = new Trainee(Trainee.ADAMW, 5)) {
      Thread.currentThread().interrupt();
      Path file = folder(1).save(trainee.training(), Long.MAX_VALUE, Map.of());
      assertTrue(Thread.interrupted());
      assertEquals(List.of(file), folder(1).files());
      Checkpoint.open(file).close();
    }
  }

  /// Another optimizer writes to the shared states during the save. The saved states may be torn,
  /// but the file is always valid.
  @Test
  void statesThatOthersChangeMeanwhileGiveValidFiles() throws Exception {
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
}
