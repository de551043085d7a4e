package dev.panoptim.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Throttle;

/// A step of an optimizer. At most 1,000 events a second are recorded, unless the setting
/// `throttle` changes the limit, because a small model makes millions of steps.
///
/// Not thread-safe: an event belongs to one thread.
@Name("dev.panoptim.Step")
@Label("Optimizer Step")
@Category("Panoptim")
@Description("A step of an optimizer; on a GPU, the time until the step is enqueued")
@StackTrace(false)
@Throttle("1000/s")
public final class StepEvent extends Event {
  /// Checked before an event is created, because creating one allocates in code that is not
  /// compiled.
  private static final StepEvent PROBE = new StepEvent();

  @Label("Backend")
  String backend;

  @Label("Elements")
  @Description("The number of elements of the parameters with a gradient")
  long elements;

  @Label("Threads")
  @Description("The maximum number of threads of the step, including the calling one")
  int threads;

  @Label("Helpers")
  @Description("The number of helper threads that were asked to join the update")
  int helpers;

  @Label("Gradient Norm")
  @Description("NaN if it was not computed, or if a GPU has not reported it yet")
  double norm;

  @Label("Clip Factor")
  @Description("1 if nothing was clipped; NaN if a GPU has not reported it yet")
  double clipFactor;

  @Label("Skipped")
  @Description(
      "Whether the step is known to have changed nothing because a gradient was not finite")
  boolean skipped;

  private StepEvent() {}

  /// Whether steps are recorded now.
  public static boolean isRecorded() {
    return PROBE.isEnabled();
  }

  /// Creates an event that begins now.
  public static StepEvent begun() {
    StepEvent event = new StepEvent();
    event.begin();
    return event;
  }

  /// Ends the event and records it, unless too many are recorded.
  public void finish(
      String backend,
      long elements,
      int threads,
      int helpers,
      double norm,
      double clipFactor,
      boolean skipped) {
    end();
    this.backend = backend;
    this.elements = elements;
    this.threads = threads;
    this.helpers = helpers;
    this.norm = norm;
    this.clipFactor = clipFactor;
    this.skipped = skipped;
    commit();
  }
}
