package dev.panoptim.internal.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SlabTest {
  private static final List<String> NAMES = List.of("a", "b", "c");

  private static Slab slab(Layout layout) {
    return Slab.allocate(layout, Device.cpu(), Origin.here("a test"), MemoryKind.PARAMETERS);
  }

  @Test
  void streamsAreZeroedDisjointAndOnCacheLines() {
    for (long size : new long[] {0, 1, 17, 100, 300, 4096, 15_000, 17_000, 3_000_001}) {
      long[] sizes = {size, 5, size};
      try (Slab slab = slab(new Layout(NAMES, sizes, 2, 3))) {
        List<TensorChecks.Named> all = new ArrayList<>();
        for (int stream = 0; stream < 3; stream++) {
          for (int tensor = 0; tensor < 3; tensor++) {
            MemorySegment segment = slab.streams()[stream][tensor];
            assertEquals(4 * sizes[tensor], segment.byteSize());
            assertEquals(0, segment.address() % 64);
            all.add(new TensorChecks.Named(stream + "." + tensor, segment, segment.byteSize()));
            assertEquals(
                -1, segment.mismatch(MemorySegment.ofArray(new byte[(int) segment.byteSize()])));
          }
        }
        TensorChecks.requireDisjoint(all);
      }
    }
  }

  /// Distances of a power of two or of whole pages would map all operands to the same cache sets.
  /// With distances of a few cache lines, a load might wait for a store to another operand.
  @Test
  void streamsAreStaggered() {
    for (long size : new long[] {257, 1024, 2048, 16 << 10, 1 << 20, 1 << 22}) {
      try (Slab data = slab(new Layout(List.of("a"), new long[] {size}, 0, 2));
          Slab states = slab(new Layout(List.of("a"), new long[] {size}, 2, 2))) {
        long[] offsets = {
          data.streams()[0][0].address() % 4096,
          data.streams()[1][0].address() % 4096,
          states.streams()[0][0].address() % 4096,
          states.streams()[1][0].address() % 4096
        };
        for (int k = 0; k < 4; k++) {
          assertEquals(k * Layout.STAGGER % 4096, offsets[k]);
        }
      }
    }
  }

  /// A thousand small models take only the memory that they need, without pages of padding.
  @Test
  void smallStreamsLieCloseTogether() {
    for (long size = 0; size <= 256; size++) {
      Layout layout = new Layout(List.of("a"), new long[] {size}, 2, 2);
      assertTrue(layout.bytes() <= 2 * (4 * size + 64), size + ": " + layout.bytes());
    }
    for (long size = 257; size <= 16 << 10; size++) {
      Layout layout = new Layout(List.of("a"), new long[] {size}, 2, 2);
      assertTrue(layout.bytes() <= 2 * 4 * size + 4 * 4096, size + ": " + layout.bytes());
    }
    // Data, gradient and two states of 72 elements take 1,152 bytes.
    long model =
        new Layout(List.of("a"), new long[] {72}, 0, 2).bytes()
            + new Layout(List.of("a"), new long[] {72}, 2, 2).bytes();
    assertTrue(model <= 1280, model + " bytes");
  }

  /// As states of rows and columns beside states of elements.
  @Test
  void operandsOfDifferentSizesAreStaggeredToo() {
    long seed = System.nanoTime();
    System.out.println("SlabTest: seed " + seed);
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 300; round++) {
      int largest = new int[] {40, 3000, 40_000}[round % 3];
      List<long[]> sizes = new ArrayList<>();
      for (int k = 0; k < 4; k++) {
        long[] ofOperand = random.longs(3, 0, random.nextInt(1, largest + 1)).toArray();
        sizes.add(random.nextInt(4) == 0 && k > 0 ? sizes.getLast() : ofOperand);
      }
      try (Slab slab = slab(new Layout(NAMES, sizes, 2))) {
        List<TensorChecks.Named> all = new ArrayList<>();
        long longest = 0;
        for (int k = 0; k < 4; k++) {
          long length = 0;
          for (int tensor = 0; tensor < 3; tensor++) {
            MemorySegment segment = slab.streams()[k][tensor];
            assertEquals(4 * sizes.get(k)[tensor], segment.byteSize());
            assertEquals(0, segment.address() % 64);
            all.add(new TensorChecks.Named(k + "." + tensor, segment, segment.byteSize()));
            length += (segment.byteSize() + 63) / 64 * 64;
          }
          longest = Math.max(longest, length);
        }
        TensorChecks.requireDisjoint(all);
        long end =
            all.stream().mapToLong(each -> each.segment().address() + each.bytes()).max().orElse(0);
        assertTrue(end <= slab.memory().address() + slab.memory().byteSize());
        for (int k = 0; k < 4 && longest > Layout.PACKED; k++) {
          assertEquals((2 + k) * Layout.STAGGER % 4096, slab.streams()[k][0].address() % 4096);
        }
      }
    }
  }

  @Test
  void aSlabWithoutStreamsTakesNothing() {
    Layout none = new Layout(NAMES, new long[] {1000, 1000, 1000}, 2, 0);
    assertEquals(0, none.bytes());
    try (Slab slab = slab(none)) {
      assertEquals(0, slab.streams().length);
    }
  }

  @Test
  void memoryIsGoneAfterCloseAndCloseMayBeRepeated() {
    Slab slab = slab(new Layout(List.of("a"), new long[] {1 << 20}, 0, 1));
    MemorySegment segment = slab.streams()[0][0];
    segment.set(JAVA_BYTE, 0, (byte) 1);
    slab.close();
    slab.close();
    assertFalse(segment.scope().isAlive());
    assertThrows(IllegalStateException.class, () -> segment.get(JAVA_BYTE, 0));
  }

  @Test
  void impossibleSizesAreRejected() {
    var negative =
        assertThrows(
            IllegalArgumentException.class,
            () -> slab(new Layout(List.of("a"), new long[] {-1}, 0, 1)));
    assertTrue(negative.getMessage().contains("size of 'a' is -1 elements"));
    assertThrows(
        IllegalArgumentException.class,
        () -> slab(new Layout(NAMES, new long[] {1L << 60, 1L << 60, 1L << 60}, 0, 2)));
    assertThrows(
        OutOfMemoryError.class,
        () -> slab(new Layout(List.of("a"), new long[] {1L << 50}, 0, 1)).close());
  }

  @Test
  void parametersAreNamed() {
    try (Parameters parameters = Parameters.builder().add("x", 2).add("y", 3).build()) {
      assertEquals(2, parameters.all().size());
      assertEquals(3, parameters.get("y").size());
      assertTrue(parameters.get("y").hasGradient());
      var e = assertThrows(IllegalArgumentException.class, () -> parameters.get("z"));
      assertEquals("there is no parameter 'z' among [x, y]", e.getMessage());
    }
    var twice =
        assertThrows(
            IllegalArgumentException.class, () -> Parameters.builder().add("x", 1).add("x", 1));
    assertEquals("there are two parameters named 'x'", twice.getMessage());
  }
}
