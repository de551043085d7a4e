package dev.panoptim.server.digits;

import dev.panoptim.checkpoint.Checkpoint;
import dev.panoptim.checkpoint.CheckpointException;
import dev.panoptim.checkpoint.CheckpointFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/// The one thread that changes a model. Others hand it work in a bounded queue.
///
/// Thread-safe.
public final class Learner implements AutoCloseable {
  public static final int MOST_WAITING = 256;

  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final BlockingQueue<Work<?>> queue = new ArrayBlockingQueue<>(MOST_WAITING);
  private final DigitModel model;
  private final Teacher teacher;
  private final CheckpointFolder folder;
  private final Consumer<Lesson.Result> observer;
  private final Thread thread = Thread.ofPlatform().name("learner").unstarted(this::work);
  private volatile long steps;
  private volatile Throwable failure;
  private volatile boolean closed;

  /// @param folder for checkpoints
  /// @param observer gets the result of each lesson, on the thread that learns
  Learner(
      DigitModel model,
      Teacher teacher,
      CheckpointFolder folder,
      long steps,
      Consumer<Lesson.Result> observer) {
    this.model = model;
    this.teacher = teacher;
    this.folder = folder;
    this.steps = steps;
    this.observer = observer;
    thread.start();
  }

  private record Work<T>(Callable<T> task, CompletableFuture<T> result) {
    void run() throws Exception {
      try {
        result.complete(task.call());
      } catch (IllegalArgumentException
          | NoSuchElementException
          | CheckpointException
          | UncheckedIOException e) {
        // The caller's mistake, or a checkpoint cannot be written or read. Nothing has changed.
        result.completeExceptionally(e);
      } catch (Throwable e) {
        result.completeExceptionally(e);
        throw e;
      }
    }
  }

  private void work() {
    try {
      while (!closed) {
        queue.take().run();
      }
    } catch (InterruptedException e) {
      // close() interrupts this thread between two steps.
    } catch (Throwable e) {
      failure = e;
    } finally {
      refuseWaiting();
    }
  }

  private void refuseWaiting() {
    closed = true;
    for (Work<?> each = queue.poll(); each != null; each = queue.poll()) {
      each.result().completeExceptionally(ended());
    }
  }

  private RejectedExecutionException ended() {
    return new RejectedExecutionException("the learner has ended", failure);
  }

  /// @throws BusyException if the queue is full
  /// @throws RejectedExecutionException if the learner has ended
  private <T> CompletableFuture<T> submit(Callable<T> task) {
    Work<T> work = new Work<>(task, new CompletableFuture<>());
    if (closed) {
      throw ended();
    }
    if (!queue.offer(work)) {
      throw new BusyException(
          "%s pieces of work wait for the learner already".formatted(MOST_WAITING));
    }
    if (closed) {
      // The learner may have ended without seeing this work.
      refuseWaiting();
    }
    return work.result();
  }

  /// Makes one step from a lesson. The result fails with an [IllegalArgumentException] if there is
  /// no such label.
  public CompletableFuture<Lesson.Result> teach(Lesson lesson) {
    return submit(
        () -> {
          int label = model.labels().indexOf(lesson.label());
          if (label < 0) {
            throw new IllegalArgumentException(
                "label is '%s', but must be one of %s".formatted(lesson.label(), model.labels()));
          }
          Lesson.Result result = teacher.teach(new Example(lesson.pixels(), label));
          steps++;
          observer.accept(result);
          return result;
        });
  }

  /// Adds a class; see [DigitModel#addClass].
  public CompletableFuture<List<String>> addClass(String label) {
    return submit(
        () -> {
          model.addClass(label);
          return model.labels();
        });
  }

  /// Changes how the network learns.
  public CompletableFuture<LearningSettings> change(LearningSettings settings) {
    return submit(
        () -> {
          model.change(settings);
          return model.settings();
        });
  }

  /// Saves a checkpoint.
  public CompletableFuture<Path> save() {
    return submit(
        () -> {
          try {
            return folder.save(model.training(), steps, model.extras());
          } catch (IllegalStateException e) {
            // Another process has saved a later step to the folder.
            throw new UncheckedIOException(new IOException(e.getMessage(), e));
          }
        });
  }

  /// Goes back to the newest checkpoint. The result fails with a [NoSuchElementException] if there
  /// is none. The count of steps goes on, so that later checkpoints are newer.
  public CompletableFuture<Path> restore() {
    return submit(
        () -> {
          Path file =
              folder
                  .latest()
                  .orElseThrow(() -> new NoSuchElementException("there is no checkpoint yet"));
          try (Checkpoint checkpoint = Checkpoint.open(file)) {
            model.restore(checkpoint);
          }
          teacher.forget();
          return file;
        });
  }

  public List<String> checkpoints() {
    return folder.files().stream().map(each -> each.getFileName().toString()).toList();
  }

  /// The steps so far, also those of earlier optimizers.
  public long steps() {
    return steps;
  }

  /// The pieces of work that wait.
  public int waiting() {
    return queue.size();
  }

  /// Whether work is accepted.
  public boolean isRunning() {
    return !closed;
  }

  /// Ends the thread after the running step.
  ///
  /// @throws IllegalStateException if it does not end in time or the calling thread is interrupted
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      if (!thread.join(PATIENCE)) {
        throw new IllegalStateException(
            "the learner has not ended within " + PATIENCE.toSeconds() + " s");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for the learner's end", e);
    }
  }
}
