package dev.panoptim.server.digits;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;

/// Users who draw digits one after the other, say which digit it was, and change their hands slowly
/// (see [Drift]).
///
/// Thread-safe.
public final class SimulatedUsers implements AutoCloseable {
  public static final int HIGHEST_RATE = 200;

  private static final double NANOS = 1e9;

  /// What the users do.
  ///
  /// @param running whether they draw
  /// @param teaching whether the network learns from them
  /// @param rate drawings in a second, from 1 to [#HIGHEST_RATE]
  public record Plan(boolean running, boolean teaching, int rate) {
    /// @throws IllegalArgumentException if the rate is out of range
    public Plan {
      if (rate < 1 || rate > HIGHEST_RATE) {
        throw new IllegalArgumentException(
            "rate is %s, but must be from 1 to %s".formatted(rate, HIGHEST_RATE));
      }
    }
  }

  private final DigitService service;
  private final DigitGenerator generator;
  private final Drift drift = Drift.USUAL;
  private final Thread thread = Thread.ofPlatform().name("simulated users").unstarted(this::draw);
  private volatile Plan plan = new Plan(false, true, 40);
  private volatile long drawings;
  private volatile boolean closed;

  public SimulatedUsers(DigitService service, long seed) {
    this.service = service;
    generator = new DigitGenerator(seed);
    thread.setDaemon(true);
    thread.start();
  }

  public Plan plan() {
    return plan;
  }

  public void plan(Plan value) {
    plan = value;
    LockSupport.unpark(thread);
  }

  /// The present rotation of their digits, in degrees clockwise.
  public double degrees() {
    return Math.toDegrees(drift.after(drawings).angle());
  }

  private void draw() {
    long due = System.nanoTime();
    while (!closed) {
      Plan now = plan;
      if (!now.running()) {
        LockSupport.park();
        due = System.nanoTime();
        continue;
      }
      try {
        drawOnce(now);
      } catch (BusyException e) {
        // A user who finds the server busy goes away.
      } catch (RejectedExecutionException e) {
        return;
      }
      due = Math.max(due + Math.round(NANOS / now.rate()), System.nanoTime() - (long) NANOS);
      LockSupport.parkNanos(due - System.nanoTime());
    }
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
    closed = true;
    LockSupport.unpark(thread);
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
