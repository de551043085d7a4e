package dev.panoptim.server.digits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.checkpoint.CheckpointException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class DigitServiceTest {
  @TempDir Path folder;

  private DigitService service(int steps) {
    return new DigitService(
        new DigitService.Start(
            LearningSettings.usual(OptimizerKind.ADAMW), steps, 1, folder, 2, Courtesy.usual()),
        new SimpleMeterRegistry(),
        step -> {});
  }

  @Test
  void aLessonIsOneStep() throws Exception {
    try (DigitService service = service(5)) {
      Drawing seven = new DigitGenerator(1).draw(7);
      service.teach(seven, "7").get();
      assertEquals(6, service.learner().steps());
      assertEquals(1, service.scores().judged());
      assertEquals(6, service.predict(seven).step());
      assertTrue(service.scores().loss().isPresent());
    }
  }

  @Test
  void anUnknownLabelIsRefusedAndTheLearnerGoesOn() throws Exception {
    try (DigitService service = service(0)) {
      Drawing seven = new DigitGenerator(1).draw(7);
      ExecutionException e =
          assertThrows(ExecutionException.class, () -> service.teach(seven, "moon").get());
      assertInstanceOf(IllegalArgumentException.class, e.getCause());
      service.teach(seven, "7").get();
      assertTrue(service.learner().isRunning());
    }
  }

  @Test
  void theQueueIsBounded() throws Exception {
    try (DigitService service = service(0)) {
      Drawing seven = new DigitGenerator(1).draw(7);
      List<CompletableFuture<?>> accepted = new ArrayList<>();
      BusyException busy =
          assertThrows(
              BusyException.class,
              () -> {
                for (int i = 0; i < 100_000; i++) {
                  accepted.add(service.learner().addClass("7"));
                  accepted.add(service.teach(seven, "7"));
                }
              });
      assertTrue(busy.getMessage().contains(Integer.toString(Learner.MOST_WAITING)));
      assertTrue(service.learner().waiting() <= Learner.MOST_WAITING);
      accepted.getLast().handle((result, failure) -> result).get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void aSecondStartGoesOnFromTheCheckpoint() throws Exception {
    Drawing seven = new DigitGenerator(1).draw(7);
    float[] saved;
    try (DigitService service = service(20)) {
      assertThrows(ExecutionException.class, () -> service.learner().restore().get());
      service.learner().save().get();
      saved = service.predict(seven).probabilities();
    }
    try (DigitService service = service(1)) {
      assertEquals(20, service.learner().steps());
      org.junit.jupiter.api.Assertions.assertArrayEquals(
          saved, service.predict(seven).probabilities());
      service.teach(seven, "3").get();
      assertEquals(1, service.learner().checkpoints().size());
      service.learner().save().get();
      assertEquals(2, service.learner().checkpoints().size());
      service.learner().restore().get();
    }
  }

  @Test
  void aDamagedCheckpointAndAFailedSaveAreRefusedAndTheLearnerGoesOn() throws Exception {
    Drawing seven = new DigitGenerator(1).draw(7);
    try (DigitService service = service(3)) {
      Path file = service.learner().save().get();
      byte[] bytes = Files.readAllBytes(file);
      bytes[bytes.length - 1] ^= 1;
      Files.write(file, bytes);
      ExecutionException damaged =
          assertThrows(ExecutionException.class, () -> service.learner().restore().get());
      assertInstanceOf(CheckpointException.class, damaged.getCause());
      service.teach(seven, "7").get();
      // Another process saves a later step.
      Path later = file.resolveSibling(file.getFileName().toString().replaceAll("\\d", "9"));
      bytes[bytes.length - 1] ^= 1;
      Files.write(later, bytes);
      ExecutionException refused =
          assertThrows(ExecutionException.class, () -> service.learner().save().get());
      assertInstanceOf(UncheckedIOException.class, refused.getCause());
      service.teach(seven, "7").get();
      assertTrue(service.learner().isRunning());
    }
  }

  @Test
  void withoutACheckpointThereIsNoWayBack() {
    try (DigitService service = service(0)) {
      ExecutionException e =
          assertThrows(ExecutionException.class, () -> service.learner().restore().get());
      assertInstanceOf(NoSuchElementException.class, e.getCause());
    }
  }

  @Test
  void afterTheEndWorkIsRefused() {
    DigitService service = service(0);
    service.close();
    assertThrows(RejectedExecutionException.class, () -> service.learner().addClass("star"));
    assertFalse(service.learner().isRunning());
  }

  /// Readers never see half a step, while lessons, new classes and new optimizers come.
  @Test
  void readersSeeWholeSteps() throws Exception {
    try (DigitService service = service(0)) {
      AtomicBoolean ended = new AtomicBoolean();
      AtomicLong predictions = new AtomicLong();
      float[] pixels = new DigitGenerator(3).pixels(8);
      List<CompletableFuture<Void>> readers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        readers.add(
            CompletableFuture.runAsync(
                () -> {
                  while (!ended.get()) {
                    Prediction prediction = service.predict(pixels);
                    assertEquals(prediction.labels().size(), prediction.probabilities().length);
                    predictions.incrementAndGet();
                  }
                }));
      }
      Drawing seven = new DigitGenerator(1).draw(7);
      for (int i = 0; i < 60; i++) {
        service.teach(seven, "7").get();
        if (i % 10 == 0) {
          OptimizerKind kind = OptimizerKind.values()[i / 10 % OptimizerKind.values().length];
          service.learner().change(LearningSettings.usual(kind)).get();
          service.learner().addClass("class " + i).get();
          service.learner().save().get();
        }
        if (i % 20 == 19) {
          service.learner().restore().get();
        }
      }
      ended.set(true);
      for (CompletableFuture<Void> each : readers) {
        each.get();
      }
      assertTrue(predictions.get() > 50, "predictions: " + predictions);
      assertEquals(0, service.torn());
    }
  }

  @Test
  void usersTeachUnlessToldNotTo() throws Exception {
    try (DigitService service = service(0);
        SimulatedUsers users = new SimulatedUsers(service, 1)) {
      users.plan(new SimulatedUsers.Plan(true, false, 200));
      while (service.scores().judged() < 10) {
        Thread.sleep(5);
      }
      assertEquals(0, service.learner().steps());
      users.plan(new SimulatedUsers.Plan(true, true, 200));
      while (service.learner().steps() < 10) {
        Thread.sleep(5);
      }
      assertThrows(IllegalArgumentException.class, () -> new SimulatedUsers.Plan(true, true, 1000));
    }
  }
}
