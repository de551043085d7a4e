package dev.panoptim.internal.lbfgs;

import java.lang.foreign.MemorySegment;

/// A line search for a point that fulfils the strong Wolfe conditions, with the decrease 1e-4 and
/// the curvature 0.9: Nocedal and Wright, Numerical Optimization, 2006, algorithms 3.5 and 3.6. The
/// safeguards and the limit of 25 further trials are those of PyTorch's `torch.optim.LBFGS`.
///
/// A trial without a finite loss or slope counts as infinitely high. PyTorch continues with NaN.
///
/// Not thread-safe.
public final class StrongWolfe {
  /// The function along the line.
  public interface Line {
    /// Evaluates a point.
    ///
    /// @param gradient a vector for the gradient
    Point at(double t, MemorySegment gradient);
  }

  private static final double DECREASE = 1e-4;
  private static final double CURVATURE = 0.9;
  private static final int MOST_TRIALS = 25;

  private final Line line;
  private final Point start;
  private final MemorySegment one;
  private final MemorySegment other;
  private final double longest;
  private final double tolerance;

  private int trials;

  /// @param start the point at t = 0, with a finite loss and a slope below 0
  /// @param one a vector for gradients
  /// @param other another one
  /// @param longest the largest absolute element of the direction
  /// @param tolerance an interval is too small if none of its elements is larger
  public StrongWolfe(
      Line line,
      Point start,
      MemorySegment one,
      MemorySegment other,
      double longest,
      double tolerance) {
    this.line = line;
    this.start = start;
    this.one = one;
    this.other = other;
    this.longest = longest;
    this.tolerance = tolerance;
  }

  /// Searches once.
  ///
  /// @param first where to look first, 0 or more; with 0, the start is found
  /// @return the point found, or the lowest one if none fulfils the conditions; this may be the
  ///   start. Its gradient is the one of the start, or in one of the two vectors
  public Point search(double first) {
    if (first == 0) {
      return start;
    }
    Point previous = start;
    Point current = evaluate(first, previous);
    while (trials < MOST_TRIALS) {
      if (tooHigh(current) || trials > 1 && current.loss() >= previous.loss()) {
        return zoom(previous, current);
      }
      if (isFlat(current)) {
        return current;
      }
      if (current.slope() >= 0) {
        return zoom(previous, current);
      }
      double t = current.t();
      double next =
          CubicInterpolation.minimum(previous, current, t + 0.01 * (t - previous.t()), 10 * t);
      previous = current;
      current = evaluate(next, previous);
      trials++;
    }
    return start.loss() <= current.loss() ? start : current;
  }

  /// Evaluates a point without overwriting the gradient of another one.
  private Point evaluate(double t, Point kept) {
    return line.at(t, kept.gradient() == one ? other : one);
  }

  private boolean tooHigh(Point point) {
    return point.loss() > start.loss() + DECREASE * point.t() * start.slope();
  }

  private boolean isFlat(Point point) {
    return Math.abs(point.slope()) <= -CURVATURE * start.slope();
  }

  /// Shrinks a bracket around a point that fulfils the conditions. Only the lower end's gradient is
  /// kept: the higher end never becomes the lower one.
  private Point zoom(Point left, Point right) {
    Point[] bracket = {left, right};
    int low = lower(bracket);
    boolean slow = false;
    while (trials < MOST_TRIALS) {
      double least = Math.min(bracket[0].t(), bracket[1].t());
      double most = Math.max(bracket[0].t(), bracket[1].t());
      if ((most - least) * longest < tolerance) {
        break;
      }
      double t = CubicInterpolation.minimum(bracket[0], bracket[1], least, most);
      // A trial near an end of the bracket makes little progress. The second one in succession is
      // moved away from the end.
      double margin = 0.1 * (most - least);
      boolean near = Math.min(most - t, t - least) < margin;
      if (near && (slow || t >= most || t <= least)) {
        t = Math.abs(t - most) < Math.abs(t - least) ? most - margin : least + margin;
        slow = false;
      } else {
        slow = near;
      }
      Point lowest = bracket[low];
      Point trial = evaluate(t, lowest);
      trials++;
      if (tooHigh(trial) || trial.loss() >= lowest.loss()) {
        bracket[1 - low] = trial;
        low = lower(bracket);
      } else {
        if (isFlat(trial)) {
          return trial;
        }
        if (trial.slope() * (bracket[1 - low].t() - lowest.t()) >= 0) {
          bracket[1 - low] = lowest;
        }
        bracket[low] = trial;
      }
    }
    return bracket[low];
  }

  private static int lower(Point[] bracket) {
    return bracket[0].loss() <= bracket[1].loss() ? 0 : 1;
  }
}
