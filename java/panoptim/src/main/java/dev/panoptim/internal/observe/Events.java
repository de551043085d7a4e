package dev.panoptim.internal.observe;

import dev.panoptim.internal.jfr.BackendChosenEvent;
import dev.panoptim.internal.jfr.CheckpointSavedEvent;
import dev.panoptim.internal.jfr.FallbackEvent;
import dev.panoptim.internal.jfr.PublishedEvent;
import dev.panoptim.internal.jfr.Recorder;
import dev.panoptim.internal.jfr.StepEvent;

/// Records events with the JDK Flight Recorder, if it is present.
///
/// The module `jdk.jfr` is optional. If it is missing, no event class may be loaded, so every call
/// checks [#isInUse] first. For the same reason events are passed as plain objects.
///
/// Before the first recording of the process no event class is loaded either: the first one would
/// load the recorder, which takes about a fifth of the processor time of a short program.
///
/// Thread-safe.
public final class Events {
  /// Whether the flight recorder is present.
  private static final boolean PRESENT = isPresent();

  private Events() {}

  private static boolean isPresent() {
    try {
      Class<?> event = Class.forName("jdk.jfr.Event", false, Events.class.getClassLoader());
      return Events.class.getModule().canRead(event.getModule());
    } catch (ClassNotFoundException | LinkageError e) {
      return false;
    }
  }

  /// Whether events may be recorded.
  private static boolean isInUse() {
    return PRESENT && Recorder.isInUse();
  }

  /// Begins a step.
  ///
  /// @return the event, or `null` if steps are not recorded
  public static Object beginStep() {
    return isInUse() && StepEvent.isRecorded() ? StepEvent.begun() : null;
  }

  /// Ends a recorded step.
  ///
  /// @param event the event of [#beginStep]
  /// @param backend the name of the backend
  /// @param elements the number of elements with a gradient
  /// @param threads the maximum number of threads of the step
  /// @param helpers the number of helper threads that the update offered work to
  /// @param norm the norm of the gradients; NaN if it is unknown
  /// @param clipFactor the factor of the clip; NaN if it is unknown
  /// @param skipped whether the step is known to have changed nothing
  public static void endStep(
      Object event,
      String backend,
      long elements,
      int threads,
      int helpers,
      double norm,
      double clipFactor,
      boolean skipped) {
    ((StepEvent) event).finish(backend, elements, threads, helpers, norm, clipFactor, skipped);
  }

  /// Records the choice of the process's backend.
  ///
  /// @param backend the name of the backend
  /// @param tier the tier of the native backend; empty for others
  /// @param degraded whether a better backend is unavailable
  /// @param details a description of the backend
  public static void backendChosen(String backend, String tier, boolean degraded, String details) {
    if (isInUse()) {
      BackendChosenEvent.commit(backend, tier, degraded, details);
    }
  }

  /// Records the use of a substitute.
  ///
  /// @param wanted the unavailable feature, such as `native`
  /// @param taken the substitute
  /// @param reason the reason, in words
  public static void fallback(String wanted, String taken, String reason) {
    if (isInUse()) {
      FallbackEvent.commit(wanted, taken, reason);
    }
  }

  static void published(long step, long elements, boolean skipped) {
    if (isInUse() && PublishedEvent.isRecorded()) {
      PublishedEvent.commit(step, elements, skipped);
    }
  }

  /// Begins a save of a checkpoint.
  ///
  /// @return the event, or `null` if it is not recorded
  static Object beginCheckpoint() {
    return isInUse() ? CheckpointSavedEvent.begun() : null;
  }

  static void checkpointSaved(Object event, String file, long step, long bytes) {
    ((CheckpointSavedEvent) event).finish(file, step, bytes);
  }
}
