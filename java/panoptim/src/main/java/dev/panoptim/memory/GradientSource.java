package dev.panoptim.memory;

/// Finds the gradient of one parameter in another library, which allocates, moves and frees
/// gradients between steps; see [Parameter#setGradientSource].
///
/// An optimizer calls the source on the thread that steps or zeroes gradients. An exception of the
/// source is passed on to the caller, before any byte has changed.
///
/// Not thread-safe, except [#requireInPlace]: no two threads call the other methods of a source at
/// the same time.
public interface GradientSource {
  /// What [#gradientAddress] returns if there is no gradient.
  long NO_GRADIENT = 0;

  /// The address of the present gradient: as many floats as the parameter has, on the parameter's
  /// device, without gaps, in row-major order. The memory must live until the source is asked
  /// again, or the step that follows is done.
  ///
  /// Called for each parameter before each step, so it should take less than a microsecond and
  /// allocate nothing.
  ///
  /// @return [#NO_GRADIENT] if there is no gradient. An empty gradient may have any other address
  ///   that is a multiple of 4
  long gradientAddress();

  /// Makes the other library drop the gradient, as PyTorch's `zero_grad(set_to_none=True)` does.
  void dropGradient();

  /// Checks that the parameter's own memory is where it was when the parameter was created.
  /// Checkpoints, publications, half-precision copies and copies of the data call it before they
  /// use that memory. It may be called by a thread that saves a checkpoint while the learner
  /// computes gradients, so it must not look at the gradient. The default does nothing.
  ///
  /// @throws IllegalStateException if the memory has moved or been freed
  default void requireInPlace() {}
}
