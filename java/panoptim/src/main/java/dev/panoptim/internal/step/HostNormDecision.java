package dev.panoptim.internal.step;

/// A decision that is known at once.
final class HostNormDecision extends NormDecision {
  private final Engine backend;
  private double squares;
  private double norm;
  private double clipFactor;
  private boolean skips;

  HostNormDecision(Engine backend) {
    this.backend = backend;
  }

  @Override
  public Engine backend() {
    return backend;
  }

  @Override
  public void begin() {
    squares = 0;
  }

  @Override
  public void add(StepPlan plan, int threads) {
    squares = backend.addSquares(squares, plan, threads);
  }

  @Override
  public void decide(double scale, double limit, boolean skipNonFinite) {
    norm = Math.sqrt(squares) * scale;
    boolean small = norm <= limit || limit == Double.POSITIVE_INFINITY;
    clipFactor = small ? 1 : limit / norm;
    skips = skipNonFinite && !(squares < Double.POSITIVE_INFINITY);
  }

  @Override
  public boolean isOnHost() {
    return true;
  }

  @Override
  public double norm() {
    return norm;
  }

  @Override
  public double clipFactor() {
    return clipFactor;
  }

  @Override
  public boolean skips() {
    return skips;
  }

  @Override
  public void close() {}
}
