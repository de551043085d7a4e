package dev.panoptim.server.digits;

/// How the hands of simulated users change over time: they rotate and slant their digits to one
/// side, back, and to the other side.
record Drift(double largestAngle, double largestSlant, long period) {
  /// Large enough that a network which does not learn misreads many drawings.
  static final Drift USUAL = new Drift(Math.toRadians(50), 0.35, 4000);

  /// @param drawings the number of drawings so far
  Distortion after(long drawings) {
    double phase = Math.sin(2 * Math.PI * (drawings % period) / period);
    return new Distortion(largestAngle * phase, largestSlant * phase, 1);
  }
}
