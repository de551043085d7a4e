package dev.panoptim.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Throttle;

/// Parameters have been published for readers. At most 1,000 a second are recorded, unless the
/// setting `throttle` says otherwise.
///
/// Not thread-safe: each event is one thread's.
@Name("dev.panoptim.Published")
@Label("Parameters Published")
@Category("Panoptim")
@StackTrace(false)
@Throttle("1000/s")
public final class PublishedEvent extends Event {
  /// Asked before an event is made: outside of compiled code making one would allocate.
  private static final PublishedEvent PROBE = new PublishedEvent();

  @Label("Step")
  @Description("The number that the parameters carry")
  long step;

  @Label("Elements")
  @Description("Elements that were copied")
  long elements;

  @Label("Skipped")
  @Description("Whether nothing was published, for readers hold all buffers")
  boolean skipped;

  private PublishedEvent() {}

  /// Whether publications are recorded now.
  public static boolean isRecorded() {
    return PROBE.isEnabled();
  }

  /// Records one.
  public static void commit(long step, long elements, boolean skipped) {
    PublishedEvent event = new PublishedEvent();
    event.step = step;
    event.elements = elements;
    event.skipped = skipped;
    event.commit();
  }
}
