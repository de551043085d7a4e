package dev.panoptim.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// Something is done by other means than were wanted.
///
/// Not thread-safe: each event is one thread's.
@Name("dev.panoptim.Fallback")
@Label("Fallback")
@Category("Panoptim")
@Description("Something that was wanted could not be had, and something else is used")
@StackTrace(false)
public final class FallbackEvent extends Event {
  @Label("Wanted")
  String wanted;

  @Label("Taken")
  String taken;

  @Label("Reason")
  String reason;

  private FallbackEvent() {}

  /// Records one.
  public static void commit(String wanted, String taken, String reason) {
    FallbackEvent event = new FallbackEvent();
    event.wanted = wanted;
    event.taken = taken;
    event.reason = reason;
    event.commit();
  }
}
