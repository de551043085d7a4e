package dev.panoptim.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// The choice of the process's backend.
///
/// Not thread-safe: an event belongs to one thread.
@Name("dev.panoptim.BackendChosen")
@Label("Backend Chosen")
@Category("Panoptim")
@Description("The backend that this process uses on the CPU, chosen once")
@StackTrace(false)
public final class BackendChosenEvent extends Event {
  @Label("Backend")
  String backend;

  @Label("Tier")
  @Description("The tier of the native backend; empty for other backends")
  String tier;

  @Label("Degraded")
  @Description("Whether a better backend is unavailable")
  boolean degraded;

  @Label("Details")
  String details;

  private BackendChosenEvent() {}

  /// Records an event.
  public static void commit(String backend, String tier, boolean degraded, String details) {
    BackendChosenEvent event = new BackendChosenEvent();
    event.backend = backend;
    event.tier = tier;
    event.degraded = degraded;
    event.details = details;
    event.commit();
  }
}
