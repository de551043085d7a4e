package dev.panoptim.server.digits;

import java.util.OptionalDouble;

/// How good the network is at present: its accuracy over the last drawings with a known label, and
/// the loss of the last lessons.
///
/// Thread-safe.
public final class Scores {
  /// The drawings of which the accuracy is kept.
  public static final int WINDOW = 200;

  /// The weight of a new loss in the average.
  private static final double FRESH = 0.05;

  private final boolean[] right = new boolean[WINDOW];
  private int rightCount;
  private long judged;
  private long skipped;
  private double loss = Double.NaN;

  /// Counts a prediction whose right label is known.
  synchronized void judge(boolean isRight) {
    int at = (int) (judged % WINDOW);
    if (judged >= WINDOW && right[at]) {
      rightCount--;
    }
    right[at] = isRight;
    rightCount += isRight ? 1 : 0;
    judged++;
  }

  synchronized void learnt(Lesson.Result result) {
    if (result.skipped()) {
      skipped++;
    }
    if (Double.isFinite(result.loss())) {
      loss = Double.isNaN(loss) ? result.loss() : loss + FRESH * (result.loss() - loss);
    }
  }

  /// The share of right predictions among the last [#WINDOW]; empty before the first.
  public synchronized OptionalDouble accuracy() {
    return judged == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of((double) rightCount / Math.min(judged, WINDOW));
  }

  /// A running mean of the losses of lessons; empty before the first.
  public synchronized OptionalDouble loss() {
    return Double.isNaN(loss) ? OptionalDouble.empty() : OptionalDouble.of(loss);
  }

  /// Predictions whose right label was known.
  public synchronized long judged() {
    return judged;
  }

  /// Steps that changed nothing, because a gradient was not finite.
  public synchronized long skippedSteps() {
    return skipped;
  }
}
