package dev.panoptim.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Throttle;

/// A publication of parameters for readers. At most 1,000 events a second are recorded, unless the
/// setting `throttle` changes the limit.
///
/// Not thread-safe: an event belongs to one thread.
@Name("dev.panoptim.Published")
@Label("Parameters Published")
@Category("Panoptim")
@StackTrace(false)
@Throttle("1000/s")
public final class PublishedEvent extends Event {
  /// Checked before an event is created, because creating one allocates in code that is not
  /// compiled.
  private static final PublishedEvent PROBE = new PublishedEvent();

  @Label("Step")
  @Description("The step of the published parameters")
  long step;

  @Label("Elements")
  @Description("The number of copied elements")
  long elements;

  @Label("Skipped")
  @Description("Whether nothing was published because readers hold all buffers")
  boolean skipped;

  private PublishedEvent() {}

  /// Whether publications are recorded now.
  public static boolean isRecorded() {
    return PROBE.isEnabled();
  }

  /// Records an event.
  public static void commit(long step, long elements, boolean skipped) {
    PublishedEvent event = new PublishedEvent();
    event.step = step;
    event.elements = elements;
    event.skipped = skipped;
    event.commit();
  }
}
