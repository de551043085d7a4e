package dev.panoptim.internal.step;

/// What the norm of all gradients makes of a step: measured over the plans, then judged.
///
/// ```java
/// decision.begin();
/// decision.add(plan, threads);     // each of them
/// decision.decide(scale, clipGradNorm, skipNonFinite);
/// ```
///
/// On a GPU it stays there, where steps find it, and comes to the host when it is asked for.
///
/// Not thread-safe.
public abstract class NormDecision implements AutoCloseable {
  public NormDecision() {}

  /// The one that it has been asked of, and is for.
  public abstract Engine backend();

  /// Begins anew.
  public abstract void begin();

  /// Adds the squares of a plan's gradients, in the canonical order.
  ///
  /// @throws IllegalStateException as [Backend#addSquares]
  public abstract void add(StepPlan plan, int threads);

  /// Makes of the squares a norm, and of that what becomes of the step.
  ///
  /// @param scale what gradients are multiplied with
  /// @param limit the largest norm that is not clipped, perhaps infinite
  /// @param skipNonFinite whether a norm that is not finite makes the step skip
  public abstract void decide(double scale, double limit, boolean skipNonFinite);

  /// Whether the host knows it without waiting, and makes of it what follows; else the backend
  /// does.
  public abstract boolean isOnHost();

  /// The norm of all gradients, scaled and not yet clipped. May wait for the GPU.
  public abstract double norm();

  /// What makes it no larger than the limit; 1 where it is not. May wait for the GPU.
  public abstract double clipFactor();

  /// Whether the step is to change nothing. May wait for the GPU.
  public abstract boolean skips();

  /// Waits for what the GPU has not said yet, and frees what it holds for this. What has been
  /// judged can still be asked for, but nothing more be judged.
  @Override
  public abstract void close();
}
