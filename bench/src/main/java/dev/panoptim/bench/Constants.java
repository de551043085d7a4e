package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;

/// The constants of a native step, by name: `fetchAhead` elements from the one that is updated to
/// the one that is fetched, 0 for none; a `chunk` of elements, which a thread takes at a time; a
/// `block` of elements, which are updated before they are copied to a half-precision copy; the
/// `stagger` in bytes, by which each stream begins further from a page boundary than the one
/// before; whether (1) or not (0) memory lies on `hugePages` and a half-precision copy is
/// `streamed` past the caches.
record Constants(Map<String, Integer> values) {
  /// Those of the library, each with its reason where it stands: `fetch_ahead` in `loops.h`,
  /// `PANOPTIM_CHUNK` in `panoptim.h`, `block` in `step.cpp`, `Layout.STAGGER`, `Pages`,
  /// `stream.h`.
  static final Constants CHOSEN =
      new Constants(
          Map.of(
              "fetchAhead",
              128,
              "chunk",
              16 * 1024,
              "block",
              1024,
              "stagger",
              8 * 1024 + 832,
              "hugePages",
              1,
              "streamed",
              1));

  private static final MethodHandle STEP =
      BenchLibrary.find(
          "panoptim_constants_step_" + Backends.tiers().getLast().label(),
          FunctionDescriptor.of(
              JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_LONG,
              JAVA_LONG, JAVA_LONG, JAVA_INT));

  private static final int STREAMS = 4;
  private static final long SMALL_PAGE = 4096;
  private static final long HUGE_PAGE = 2 << 20;

  /// The chosen ones but for one, in the form `name=value`.
  static Constants chosenBut(String change) {
    String[] parts = change.split("=");
    Map<String, Integer> changed = new HashMap<>(CHOSEN.values);
    if (changed.put(parts[0], Integer.valueOf(parts[1])) == null) {
      throw new IllegalArgumentException("there is no constant '" + parts[0] + "'");
    }
    return new Constants(changed);
  }

  private int value(String name) {
    return values.get(name);
  }

  /// AdamW over memory of its own, laid out as the constants say.
  final class Run implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Parameters memory;
    private final MemorySegment[] streams = new MemorySegment[STREAMS];
    private final MemorySegment halfPrecisionCopy;
    private final int length;
    private final int threads;

    /// @param halfPrecisionCopy whether the parameters are copied to bfloat16
    Run(int length, int threads, boolean halfPrecisionCopy) {
      this.length = length;
      this.threads = threads;
      long page = Float.BYTES * (long) length < HUGE_PAGE ? SMALL_PAGE : HUGE_PAGE;
      long distance = (Float.BYTES * (long) length + page - 1) / page * page + value("stagger");
      boolean hugePages = value("hugePages") == 1;
      long bytes = (distance + page) * (STREAMS + 1);
      // Parameters lie on huge pages; an arena's memory does not, unless the system gives them to
      // all who do not ask: the report says whether it does.
      memory = hugePages ? Parameters.builder().add("all", bytes / Float.BYTES).build() : null;
      MemorySegment all =
          hugePages ? memory.get("all").data() : arena.allocate(bytes + SMALL_PAGE, SMALL_PAGE);
      for (int k = 0; k < STREAMS; k++) {
        streams[k] = all.asSlice(k * distance, Float.BYTES * (long) length);
      }
      this.halfPrecisionCopy =
          halfPrecisionCopy
              ? all.asSlice(STREAMS * distance, Short.BYTES * (long) length)
              : MemorySegment.NULL;
      SplittableRandom random = new SplittableRandom(1);
      for (long i = 0; i < length; i++) {
        streams[0].setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
        streams[1].setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(0.001, 0.01));
        streams[2].setAtIndex(JAVA_FLOAT, i, 0.005f);
        streams[3].setAtIndex(JAVA_FLOAT, i, 2e-5f);
      }
    }

    void step() {
      int status;
      try {
        status =
            (int)
                STEP.invokeExact(
                    streams[0],
                    streams[1],
                    streams[2],
                    streams[3],
                    halfPrecisionCopy,
                    (long) length,
                    threads,
                    (long) value("fetchAhead"),
                    (long) value("chunk"),
                    (long) value("block"),
                    value("streamed"));
      } catch (Error | RuntimeException e) {
        throw e;
      } catch (Throwable e) {
        throw new AssertionError("a downcall throws nothing checked", e);
      }
      if (status != 0) {
        throw new IllegalArgumentException("there is no loop for " + values);
      }
    }

    /// @throws IllegalStateException if another run's streams differ in a bit
    void requireSame(Run other) {
      for (int k = 0; k < STREAMS; k++) {
        requireSame(streams[k], other.streams[k]);
      }
      requireSame(halfPrecisionCopy, other.halfPrecisionCopy);
    }

    private void requireSame(MemorySegment mine, MemorySegment theirs) {
      long at = mine.mismatch(theirs);
      if (at != -1) {
        throw new IllegalStateException("byte " + at + " of a stream differs: " + values);
      }
    }

    @Override
    public void close() {
      arena.close();
      if (memory != null) {
        memory.close();
      }
    }
  }
}
