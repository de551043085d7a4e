package dev.panoptim.server.digits;

import dev.panoptim.server.simulation.Simulation;
import java.util.concurrent.RejectedExecutionException;

/// Users who draw digits one after the other, say which digit it was, and change their hands slowly
/// (see [Drift]).
///
/// Thread-safe.
public final class SimulatedUsers implements AutoCloseable {
  public static final int HIGHEST_RATE = 200;

  /// What the users do.
  ///
  /// @param running whether they draw
  /// @param teaching whether the network learns from them
  /// @param rate drawings in a second, from 1 to [#HIGHEST_RATE]
  public record Plan(boolean running, boolean teaching, int rate) implements Simulation.Plan {
    /// @throws IllegalArgumentException if the rate is out of range
    public Plan {
      Simulation.Plan.requireRate(rate, HIGHEST_RATE);
    }
  }

  private final DigitService service;
  private final DigitGenerator generator;
  private final Drift drift = Drift.USUAL;
  private final Simulation<Plan> simulation =
      new Simulation<>("simulated users", new Plan(false, true, 40), this::draw);
  private volatile long drawings;

  public SimulatedUsers(DigitService service, long seed) {
    this.service = service;
    generator = new DigitGenerator(seed);
    simulation.start();
  }

  public Plan plan() {
    return simulation.plan();
  }

  public void plan(Plan value) {
    simulation.plan(value);
  }

  /// The present rotation of their digits, in degrees clockwise.
  public double degrees() {
    return Math.toDegrees(drift.after(drawings).angle());
  }

  private boolean draw(Plan now) {
    try {
      drawOnce(now);
    } catch (BusyException e) {
      // A user who finds the server busy goes away.
    } catch (RejectedExecutionException e) {
      return false;
    }
    return true;
  }

  private void drawOnce(Plan now) {
    int digit = generator.anyDigit();
    Drawing drawing = generator.draw(digit, drift.after(drawings));
    drawings++;
    String label = Integer.toString(digit);
    if (now.teaching()) {
      service.teach(drawing, label);
    } else {
      service.judge(Raster.pixels(drawing, Raster.USUAL_THICKNESS), label);
    }
  }

  @Override
  public void close() {
    simulation.close();
  }
}
