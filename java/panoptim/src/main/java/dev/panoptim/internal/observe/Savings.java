package dev.panoptim.internal.observe;

import java.util.LinkedHashMap;
import java.util.Map;

/// Counts saved checkpoints, remembers the time of the last one in each folder, and records them
/// with the flight recorder.
///
/// Thread-safe.
public final class Savings {
  /// The number of folders to remember, those with the latest saves.
  private static final int MOST_FOLDERS = 1000;

  private static final Map<String, Long> LAST =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
          return size() > MOST_FOLDERS;
        }
      };

  private static long count;

  private Savings() {}

  /// Begins a save.
  ///
  /// @return an object to be passed to [#saved]
  public static Object begin() {
    return Events.beginCheckpoint();
  }

  /// Ends a save.
  ///
  /// @param begun the result of [#begin]
  /// @param folder the absolute path of the folder
  /// @param file the absolute path of the file
  /// @param step the step of the training
  /// @param bytes the size of the file
  public static void saved(Object begun, String folder, String file, long step, long bytes) {
    synchronized (LAST) {
      LAST.put(folder, System.nanoTime());
      count++;
    }
    if (begun != null) {
      Events.checkpointSaved(begun, file, step, bytes);
    }
  }

  /// The number of saved checkpoints.
  public static long count() {
    synchronized (LAST) {
      return count;
    }
  }

  /// The nanoseconds since the last save to each folder, the latest save last.
  public static Map<String, Long> ages() {
    Map<String, Long> ages = new LinkedHashMap<>();
    synchronized (LAST) {
      long now = System.nanoTime();
      LAST.forEach((folder, at) -> ages.put(folder, now - at));
    }
    return ages;
  }
}
