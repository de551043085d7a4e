package dev.panoptim.backend;

/// What the norm of all gradients makes of a step: measured over the plans, then judged.
///
/// ```java
/// verdict.begin();
/// verdict.add(plan, threads);     // each of them
/// verdict.judge(scale, clipGradNorm, skipNonFinite);
/// ```
///
/// On a card it stays there, where steps find it, and comes to the host when it is asked for.
///
/// Not thread-safe.
public abstract sealed class Verdict implements AutoCloseable permits HostVerdict, CudaVerdict {
  Verdict() {}

  /// The one that it has been asked of, and is for.
  abstract Backend backend();

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
  public abstract void judge(double scale, double limit, boolean skipNonFinite);

  /// Whether the host knows it without waiting, and makes of it what follows; else the backend
  /// does.
  public abstract boolean isKnown();

  /// The norm of all gradients, scaled and not yet clipped. May wait for the card.
  public abstract double norm();

  /// What makes it no larger than the limit; 1 where it is not. May wait for the card.
  public abstract double clipFactor();

  /// Whether the step is to change nothing. May wait for the card.
  public abstract boolean skips();

  /// Waits for what the card has not said yet, and frees what it holds for this. What has been
  /// judged can still be asked for, but nothing more be judged.
  @Override
  public abstract void close();
}
