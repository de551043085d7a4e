package dev.panoptim.server.digits;

/// How the network learns.
///
/// @param clipGradNorm the largest norm of all gradients; infinite for no limit
public record LearningSettings(OptimizerKind kind, double learningRate, double clipGradNorm) {
  public static final double LARGEST_RATE = 1;
  public static final double SMALLEST_CLIP = 1e-3;
  public static final double LARGEST_CLIP = 1e3;

  /// @throws IllegalArgumentException if a number is out of range
  public LearningSettings {
    if (!(learningRate >= 0 && learningRate <= LARGEST_RATE)) {
      throw new IllegalArgumentException(
          "learningRate is %s, but must be from 0 to %s".formatted(learningRate, LARGEST_RATE));
    }
    if (clipGradNorm != Double.POSITIVE_INFINITY
        && !(clipGradNorm >= SMALLEST_CLIP && clipGradNorm <= LARGEST_CLIP)) {
      throw new IllegalArgumentException(
          "clipGradNorm is %s, but must be from %s to %s, or null for no limit"
              .formatted(clipGradNorm, SMALLEST_CLIP, LARGEST_CLIP));
    }
  }

  /// An optimizer with the learning rate that suits it, without a limit of the norm.
  public static LearningSettings usual(OptimizerKind kind) {
    return new LearningSettings(kind, kind.usualLearningRate(), Double.POSITIVE_INFINITY);
  }
}
