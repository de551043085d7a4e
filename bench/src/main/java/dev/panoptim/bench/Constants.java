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

/// The constants of a native step, by name:
/// - `fetchAhead`: distance in elements from an update to its prefetch, 0 for none
/// - `chunk`: elements that a thread processes at a time
/// - `tile`: elements that are updated before they are copied to 16 bits
/// - `stagger`: bytes by which the page offsets of successive operands differ
/// - `hugePages`: 1 if the memory uses huge pages, else 0
/// - `streamed`: 1 if the 16-bit copy is written with non-temporal stores, else 0
record Constants(Map<String, Integer> values) {
  /// The values of the library. The reasons are documented with the constants: `fetch_ahead` in
  /// `loops.h`, `PANOPTIM_CHUNK` in `panoptim.h`, `tile` in `step.cpp`, `Layout.STAGGER`, `Pages`,
  /// and the header of non-temporal stores.
  static final Constants CHOSEN =
      new Constants(
          Map.of(
              "fetchAhead",
              128,
              "chunk",
              16 * 1024,
              "tile",
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

  private static final int OPERANDS = 4;
  private static final long SMALL_PAGE = 4096;
  private static final long HUGE_PAGE = 2 << 20;

  /// The chosen constants with one change, in the form `name=value`.
  static Constants chosenWith(String change) {
    String[] parts = change.split("=");
    Map<String, Integer> changed = new HashMap<>(CHOSEN.values);
    if (changed.put(parts[0], Integer.valueOf(parts[1])) == null) {
      throw new IllegalArgumentException(
          "constant is '%s', but must be one of %s".formatted(parts[0], CHOSEN.values.keySet()));
    }
    return new Constants(changed);
  }

  private int value(String name) {
    return values.get(name);
  }

  /// AdamW over separate memory with the layout given by the constants.
  final class Run implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Parameters memory;
    private final MemorySegment[] operands = new MemorySegment[OPERANDS];
    private final MemorySegment copy;
    private final int length;
    private final int threads;

    /// @param withCopy whether the parameters are copied to bfloat16
    Run(int length, int threads, boolean withCopy) {
      this.length = length;
      this.threads = threads;
      long page = Float.BYTES * (long) length < HUGE_PAGE ? SMALL_PAGE : HUGE_PAGE;
      long distance = (Float.BYTES * (long) length + page - 1) / page * page + value("stagger");
      boolean hugePages = value("hugePages") == 1;
      long bytes = (distance + page) * (OPERANDS + 1);
      // Parameters use huge pages. An arena's memory does not, unless the system gives them to
      // every
      // process; the report shows this setting.
      memory = hugePages ? Parameters.builder().add("all", bytes / Float.BYTES).build() : null;
      MemorySegment all =
          hugePages ? memory.get("all").data() : arena.allocate(bytes + SMALL_PAGE, SMALL_PAGE);
      for (int k = 0; k < OPERANDS; k++) {
        operands[k] = all.asSlice(k * distance, Float.BYTES * (long) length);
      }
      copy =
          withCopy
              ? all.asSlice(OPERANDS * distance, Short.BYTES * (long) length)
              : MemorySegment.NULL;
      SplittableRandom random = new SplittableRandom(1);
      for (long i = 0; i < length; i++) {
        operands[0].setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
        operands[1].setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(0.001, 0.01));
        operands[2].setAtIndex(JAVA_FLOAT, i, 0.005f);
        operands[3].setAtIndex(JAVA_FLOAT, i, 2e-5f);
      }
    }

    void step() {
      int status =
          Downcall.run(
              () ->
                  (int)
                      STEP.invokeExact(
                          operands[0],
                          operands[1],
                          operands[2],
                          operands[3],
                          copy,
                          (long) length,
                          threads,
                          (long) value("fetchAhead"),
                          (long) value("chunk"),
                          (long) value("tile"),
                          value("streamed")));
      if (status != 0) {
        throw new IllegalArgumentException(
            "constants are " + values + ", for which no loop has been compiled");
      }
    }

    /// @throws IllegalStateException if an operand of the other run differs in a bit
    void requireSame(Run other) {
      for (int k = 0; k < OPERANDS; k++) {
        requireSame(operands[k], other.operands[k]);
      }
      requireSame(copy, other.copy);
    }

    private void requireSame(MemorySegment mine, MemorySegment theirs) {
      long at = mine.mismatch(theirs);
      if (at != -1) {
        throw new IllegalStateException("byte " + at + " of an operand differs: " + values);
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
