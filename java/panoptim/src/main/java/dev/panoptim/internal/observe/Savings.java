package dev.panoptim.internal.observe;

import java.util.LinkedHashMap;
import java.util.Map;

/// When checkpoints were saved, and tells the flight recorder.
///
/// Thread-safe.
public final class Savings {
  /// So many folders at most are remembered: those that were saved into last.
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

  /// A saving begins.
  ///
  /// @return to be given to [#saved]
  public static Object begin() {
    return Events.beginCheckpoint();
  }

  /// A checkpoint is there.
  ///
  /// @param begun what [#begin] returned
  /// @param folder its absolute path
  /// @param file its absolute path
  /// @param step of the training
  /// @param bytes of the file
  public static void saved(Object begun, String folder, String file, long step, long bytes) {
    synchronized (LAST) {
      LAST.put(folder, System.nanoTime());
      count++;
    }
    if (begun != null) {
      Events.checkpointSaved(begun, file, step, bytes);
    }
  }

  /// How many checkpoints were saved.
  public static long count() {
    synchronized (LAST) {
      return count;
    }
  }

  /// The nanoseconds since a checkpoint was last saved into each folder; the one that was saved
  /// into last comes last.
  public static Map<String, Long> ages() {
    Map<String, Long> ages = new LinkedHashMap<>();
    synchronized (LAST) {
      long now = System.nanoTime();
      LAST.forEach((folder, at) -> ages.put(folder, now - at));
    }
    return ages;
  }
}
