package dev.panoptim.internal.step;

/// What a step does because of the norm of all gradients. The norm is measured over the plans, then
/// the decision is made.
///
/// ```java
/// decision.begin();
/// decision.add(plan, threads);     // each of them
/// decision.decide(scale, clipGradNorm, skipNonFinite);
/// ```
///
/// Steps on a GPU read the decision there. The methods that return its values wait for its copy on
/// the host.
///
/// Not thread-safe.
public abstract class NormDecision implements AutoCloseable {
  /// The engine that made this, and whose steps follow it.
  public abstract Engine backend();

  /// Begins anew.
  public abstract void begin();

  /// Adds the squares of a plan's gradients, in the canonical order.
  ///
  /// @throws IllegalStateException as [Engine#addSquares]
  public abstract void add(StepPlan plan, int threads);

  /// Takes the root of the squares, and decides what becomes of the step.
  ///
  /// @param scale what gradients are multiplied with
  /// @param limit the largest norm that is not clipped, perhaps infinite
  /// @param skipNonFinite whether a norm that is not finite makes the step skip
  public abstract void decide(double scale, double limit, boolean skipNonFinite);

  /// Whether the host knows the decision without waiting and follows it; else the engine does.
  public abstract boolean isOnHost();

  /// The norm of all gradients, scaled and not yet clipped. May wait for the GPU.
  public abstract double norm();

  /// The factor that makes the norm no larger than the limit; 1 if it is not larger. May wait for
  /// the GPU.
  public abstract double clipFactor();

  /// Whether the step is to change nothing. May wait for the GPU.
  public abstract boolean skips();

  /// Waits for the GPU's last decision, and frees the memory there. The values of the last decision
  /// can still be read afterwards, but no other decision can be made.
  @Override
  public abstract void close();
}
