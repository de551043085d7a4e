package dev.panoptim.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// The use of a substitute for an unavailable feature.
///
/// Not thread-safe: an event belongs to one thread.
@Name("dev.panoptim.Fallback")
@Label("Fallback")
@Category("Panoptim")
@Description("A requested feature is unavailable, and a substitute is used")
@StackTrace(false)
public final class FallbackEvent extends Event {
  @Label("Wanted")
  String wanted;

  @Label("Taken")
  String taken;

  @Label("Reason")
  String reason;

  private FallbackEvent() {}

  /// Records an event.
  public static void commit(String wanted, String taken, String reason) {
    FallbackEvent event = new FallbackEvent();
    event.wanted = wanted;
    event.taken = taken;
    event.reason = reason;
    event.commit();
  }
}
