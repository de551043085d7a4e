package dev.panoptim.internal.observe;

import dev.panoptim.internal.jfr.BackendChosenEvent;
import dev.panoptim.internal.jfr.CheckpointSavedEvent;
import dev.panoptim.internal.jfr.FallbackEvent;
import dev.panoptim.internal.jfr.PublishedEvent;
import dev.panoptim.internal.jfr.StepEvent;

/// What the flight recorder is told, where there is one.
///
/// The module `jdk.jfr` is optional. Where it is missing, no class of an event is ever loaded:
/// nothing here is called past [#PRESENT]. Events are passed around as objects for the same reason.
///
/// Thread-safe.
public final class Events {
  /// Whether this module can use the flight recorder.
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

  /// A step begins.
  ///
  /// @return the event, `null` if steps are not recorded
  public static Object beginStep() {
    return PRESENT && StepEvent.isRecorded() ? StepEvent.begun() : null;
  }

  /// A step that was recorded ends.
  ///
  /// @param event from [#beginStep]
  /// @param elements that have a gradient
  /// @param threads that the step might take
  /// @param helpers that were asked to help
  /// @param norm of the gradients; NaN where it is not known
  /// @param clipFactor NaN where it is not known
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

  /// The backend for a process has been chosen.
  ///
  /// @param details what it runs on, in words
  public static void backendChosen(String backend, String tier, boolean degraded, String details) {
    if (PRESENT) {
      BackendChosenEvent.commit(backend, tier, degraded, details);
    }
  }

  /// Something is done by other means than were wanted.
  ///
  /// @param wanted what could not be had, such as `native`
  /// @param taken what is used in its place
  /// @param reason in words
  public static void fallback(String wanted, String taken, String reason) {
    if (PRESENT) {
      FallbackEvent.commit(wanted, taken, reason);
    }
  }

  static void published(long step, long elements, boolean skipped) {
    if (PRESENT && PublishedEvent.isRecorded()) {
      PublishedEvent.commit(step, elements, skipped);
    }
  }

  /// The saving of a checkpoint begins.
  ///
  /// @return the event, `null` if it is not recorded
  static Object beginCheckpoint() {
    return PRESENT ? CheckpointSavedEvent.begun() : null;
  }

  static void checkpointSaved(Object event, String file, long step, long bytes) {
    ((CheckpointSavedEvent) event).finish(file, step, bytes);
  }
}
