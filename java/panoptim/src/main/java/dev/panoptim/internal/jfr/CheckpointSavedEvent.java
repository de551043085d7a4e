package dev.panoptim.internal.jfr;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// The save of a checkpoint.
///
/// Not thread-safe: an event belongs to one thread at a time.
@Name("dev.panoptim.CheckpointSaved")
@Label("Checkpoint Saved")
@Category("Panoptim")
@Description("The time from the first byte until the renamed file is on the disk")
@StackTrace(false)
public final class CheckpointSavedEvent extends Event {
  @Label("File")
  String file;

  @Label("Step")
  long step;

  @Label("Bytes")
  @DataAmount
  long bytes;

  private CheckpointSavedEvent() {}

  /// Creates an event that begins now.
  public static CheckpointSavedEvent begun() {
    CheckpointSavedEvent event = new CheckpointSavedEvent();
    event.begin();
    return event;
  }

  /// Ends and records the event.
  public void finish(String file, long step, long bytes) {
    end();
    this.file = file;
    this.step = step;
    this.bytes = bytes;
    commit();
  }
}
