package dev.panoptim.internal.vector;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.step.Engine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every engine, tier and number of threads reaches the bits of the definition.
@Timeout(120)
class VectorOperationsTest {
  private static final int CHUNK = WorkSplit.CHUNK;

  private static final float[] SPECIAL = {
    0, -0f, Float.MIN_VALUE, -1e-40f, 3e38f, -3e38f, Float.NEGATIVE_INFINITY, Float.NaN
  };

  static List<Backend> backends() {
    List<Backend> all = new ArrayList<>(List.of(Backends.scalar(), Backends.vector()));
    Backends.tiers().forEach(tier -> all.add(Backends.nativeCode(tier)));
    return all;
  }

  private static MemorySegment random(Arena arena, Random random, int length, int specials) {
    // One element further than an alignment of 64 bytes.
    MemorySegment made = arena.allocate(4L * (length + 1), 64).asSlice(Float.BYTES, 4L * length);
    for (int i = 0; i < length; i++) {
      boolean special = specials > 0 && random.nextInt(1000) < specials;
      made.setAtIndex(
          JAVA_FLOAT,
          i,
          special
              ? SPECIAL[random.nextInt(SPECIAL.length)]
              : (random.nextFloat() - 0.5f) * (1 << random.nextInt(20)));
    }
    return made;
  }

  /// A sum of products in the documented order.
  private static double defined(MemorySegment x, MemorySegment y, int length) {
    double all = 0;
    for (int start = 0; start < length; start += CHUNK) {
      double[] lanes = new double[PanoptimAbi.PANOPTIM_LANES()];
      for (int i = start; i < Math.min(start + CHUNK, length); i++) {
        double a = x.getAtIndex(JAVA_FLOAT, i);
        lanes[(i - start) % lanes.length] +=
            y == null ? Math.abs(a) : a * y.getAtIndex(JAVA_FLOAT, i);
      }
      for (int half = lanes.length / 2; half > 0; half /= 2) {
        for (int lane = 0; lane < half; lane++) {
          lanes[lane] += lanes[lane + half];
        }
      }
      all += lanes[0];
    }
    return all;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 15, 16, 17, 33, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17, 300_001})
  void everyBackendHasTheDefinedBits(int length) {
    for (int specials : new int[] {0, 1, 300}) {
      long seed = new Random().nextLong();
      String of = length + " elements, specials " + specials + ", seed " + seed;
      try (Arena arena = Arena.ofShared()) {
        Random random = new Random(seed);
        MemorySegment x = random(arena, random, length, specials);
        MemorySegment y = random(arena, random, length, specials);
        MemorySegment result = random(arena, random, length, 0);
        float factor = random.nextFloat() - 0.5f;
        double dot = defined(x, y, length);
        double absolutes = defined(x, null, length);
        double largest = 0;
        float[] added = new float[length];
        float[] scaled = new float[length];
        for (int i = 0; i < length; i++) {
          float element = x.getAtIndex(JAVA_FLOAT, i);
          largest = Math.max(largest, Math.abs(element));
          added[i] = Math.fma(factor, element, y.getAtIndex(JAVA_FLOAT, i));
          scaled[i] = factor * element;
        }
        for (Backend backend : backends()) {
          for (int threads = 1; threads <= 3; threads++) {
            String here = backend.describe() + ", " + threads + " threads, " + of;
            VectorOperations on = Engine.of(backend).vectorOperations(length, threads);
            assertEquals(dot, on.dot(x, y), here);
            assertEquals(absolutes, on.sumAbsolute(x), here);
            assertEquals(largest, on.largest(x), here);
            on.add(factor, x, y, result);
            requireBits(added, result, here);
            on.scale(factor, x, result);
            requireBits(scaled, result, here);
          }
        }
      }
    }
  }

  private static void requireBits(float[] expected, MemorySegment result, String here) {
    for (int i = 0; i < expected.length; i++) {
      float found = result.getAtIndex(JAVA_FLOAT, i);
      // floatToIntBits: the canonical NaN.
      if (Float.floatToIntBits(expected[i]) != Float.floatToRawIntBits(found)) {
        assertEquals(expected[i], found, "element " + i + ": " + here);
      }
    }
  }

  @Test
  void theResultMayBeAnOperand() {
    for (Backend backend : backends()) {
      try (Arena arena = Arena.ofShared()) {
        int length = CHUNK + 21;
        MemorySegment x = random(arena, new Random(3), length, 10);
        MemorySegment y = random(arena, new Random(4), length, 10);
        MemorySegment result = random(arena, new Random(5), length, 0);
        VectorOperations on = Engine.of(backend).vectorOperations(length, 2);
        on.add(0.3f, x, y, result);
        float[] expected = result.toArray(JAVA_FLOAT);
        on.add(0.3f, x, y, y);
        assertArrayEquals(expected, y.toArray(JAVA_FLOAT), backend.describe());
        on.scale(-2, x, result);
        on.scale(-2, x, x);
        assertArrayEquals(result.toArray(JAVA_FLOAT), x.toArray(JAVA_FLOAT), backend.describe());
      }
    }
  }

  @Test
  void vectorsOfAnotherSizeAreRefused() {
    for (Backend backend : backends()) {
      try (Arena arena = Arena.ofShared()) {
        VectorOperations on = Engine.of(backend).vectorOperations(10, 1);
        MemorySegment ten = random(arena, new Random(1), 10, 0);
        MemorySegment nine = random(arena, new Random(2), 9, 0);
        float[] before = ten.toArray(JAVA_FLOAT);
        String message =
            assertThrows(IllegalArgumentException.class, () -> on.add(2, ten, nine, ten))
                .getMessage();
        assertTrue(message.contains("y has 36 bytes, but must have 40"), message);
        assertThrows(IllegalArgumentException.class, () -> on.dot(nine, ten));
        assertThrows(IllegalArgumentException.class, () -> on.scale(2, ten, nine));
        assertThrows(
            IllegalArgumentException.class, () -> on.largest(MemorySegment.ofArray(new float[10])));
        assertArrayEquals(before, ten.toArray(JAVA_FLOAT));
      }
    }
  }
}
