package dev.panoptim.internal.step;

import static dev.panoptim.Illegal.assertSays;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import dev.panoptim.rule.Rule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Gradients must not overlap data. The expected result comes from a comparison of all pairs.
class DataPlacesTest {
  private static final Hyperparameters VALUES =
      new Hyperparameters(Rule.builder().build(), Map.of(Hyperparameter.LEARNING_RATE, 0.1));

  private static final int FLOATS = 60;

  /// Some of the memory of a block, in pieces that do not overlap; a piece may be empty.
  private static List<MemorySegment> pieces(MemorySegment block, SplittableRandom random) {
    List<MemorySegment> pieces = new ArrayList<>();
    for (long at = random.nextInt(5); at < FLOATS; ) {
      long size = Math.min(random.nextInt(5), FLOATS - at);
      pieces.add(block.asSlice(at * Float.BYTES, size * Float.BYTES));
      at += size + random.nextInt(7);
    }
    return pieces;
  }

  private static boolean overlap(MemorySegment a, MemorySegment b) {
    return a.byteSize() > 0
        && b.byteSize() > 0
        && a.address() < b.address() + b.byteSize()
        && b.address() < a.address() + a.byteSize();
  }

  @Test
  void overlapsAreFound() {
    long seed = System.nanoTime();
    System.out.println("DataPlacesTest: seed " + seed);
    SplittableRandom random = new SplittableRandom(seed);
    int apart = 0;
    for (int round = 0; round < 5000; round++) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment block = arena.allocate(FLOATS * Float.BYTES, Float.BYTES);
        List<MemorySegment> data = pieces(block, random);
        List<Parameter> parameters = new ArrayList<>();
        for (MemorySegment each : data) {
          String name = "p" + parameters.size();
          parameters.add(Parameter.of(name, each.byteSize() / Float.BYTES, each));
        }
        TrackedGroup group = new TrackedGroup(parameters.reversed(), VALUES);
        DataPlaces places = new DataPlaces(Arrays.asList(group.parameters));
        List<MemorySegment> gradients =
            pieces(block, random).stream().filter(each -> each.byteSize() > 0).limit(2).toList();
        boolean expected =
            gradients.stream().noneMatch(a -> data.stream().anyMatch(b -> overlap(a, b)));
        long[] starts = gradients.stream().mapToLong(MemorySegment::address).toArray();
        long[] ends =
            gradients.stream().mapToLong(each -> each.address() + each.byteSize()).toArray();
        assertEquals(expected, places.areApart(starts, ends, starts.length));
        List<Row> rows = gradients.stream().map(each -> row(arena, each)).toList();
        if (expected) {
          places.requireApart(rows);
          apart++;
        } else {
          assertSays("but operands must not overlap", () -> places.requireApart(rows));
        }
      }
    }
    assertTrue(apart > 100, apart + " are apart");
  }

  private static Row row(Arena arena, MemorySegment gradient) {
    long size = gradient.byteSize() / Float.BYTES;
    MemorySegment data = arena.allocate(gradient.byteSize(), Float.BYTES);
    return new Row("q", size, data, gradient, List.of(), null, null);
  }
}
