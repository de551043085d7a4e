package dev.panoptim.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// The backend that a process computes with has been chosen.
///
/// Not thread-safe: each event is one thread's.
@Name("dev.panoptim.BackendChosen")
@Label("Backend Chosen")
@Category("Panoptim")
@Description("The backend for the processor that this process computes with, chosen once")
@StackTrace(false)
public final class BackendChosenEvent extends Event {
  @Label("Backend")
  String backend;

  @Label("Tier")
  @Description("Of the native backend; empty for others")
  String tier;

  @Label("Degraded")
  @Description("Whether a better one could not be had")
  boolean degraded;

  @Label("Details")
  String details;

  private BackendChosenEvent() {}

  /// Records one.
  public static void commit(String backend, String tier, boolean degraded, String details) {
    BackendChosenEvent event = new BackendChosenEvent();
    event.backend = backend;
    event.tier = tier;
    event.degraded = degraded;
    event.details = details;
    event.commit();
  }
}
