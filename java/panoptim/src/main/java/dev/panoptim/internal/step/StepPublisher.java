package dev.panoptim.internal.step;

/// Publishes copies of the parameters that steps leave. Called by the thread that steps.
///
/// Not thread-safe.
public interface StepPublisher {
  /// Checks, before a step, that the parameters which the publisher itself will copy can be read.
  ///
  /// @throws IllegalStateException if the arena of a parameter has been closed
  /// @throws WrongThreadException if the arena of a parameter is confined to another thread
  void requireReady();

  /// Chooses a buffer if the step that is about to be made is to be published.
  ///
  /// @return the memory that the step writes to; `null` if the step itself publishes nothing
  PublishTarget beginStep();

  /// Whether the step that is being made will be published.
  boolean publishes();

  /// Publishes the step that has been made. On a GPU the step must be done.
  void endStep();
}
