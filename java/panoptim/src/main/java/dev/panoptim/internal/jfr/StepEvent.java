package dev.panoptim.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Throttle;

/// A step of an optimizer. At most 1,000 a second are recorded, unless the setting `throttle` says
/// otherwise: a small model makes millions.
///
/// Not thread-safe: each event is one thread's.
@Name("dev.panoptim.Step")
@Label("Optimizer Step")
@Category("Panoptim")
@Description("A step of an optimizer; on a GPU, the time until it was told to make it")
@StackTrace(false)
@Throttle("1000/s")
public final class StepEvent extends Event {
  /// Asked before an event is made: outside of compiled code making one would allocate.
  private static final StepEvent PROBE = new StepEvent();

  @Label("Backend")
  String backend;

  @Label("Elements")
  @Description("Elements of all parameters that have a gradient")
  long elements;

  @Label("Threads")
  @Description("The threads that the step might take, the calling one among them")
  int threads;

  @Label("Helpers")
  @Description("The threads that were asked to help with the update")
  int helpers;

  @Label("Gradient Norm")
  @Description("NaN where it was not asked for, or a GPU has not said it yet")
  double norm;

  @Label("Clip Factor")
  @Description("NaN where a GPU has not said it yet; 1 if nothing was clipped")
  double clipFactor;

  @Label("Skipped")
  @Description("Whether the step is known to have changed nothing, for a gradient was not finite")
  boolean skipped;

  private StepEvent() {}

  /// Whether steps are recorded now.
  public static boolean isRecorded() {
    return PROBE.isEnabled();
  }

  /// An event that begins now.
  public static StepEvent begun() {
    StepEvent event = new StepEvent();
    event.begin();
    return event;
  }

  /// Ends the event, and records it unless too many are.
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
