package dev.panoptim.internal.step;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Rule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Gradients of plans that were created together may move to free memory only.
class GradientRebindingTest {
  private static final RowFormat FORMAT =
      RowFormat.onCpu(
          Rule.builder().firstMoment(FirstMoment.MOVING_AVERAGE).build(),
          true,
          HalfPrecision.BFLOAT16);

  /// Two plans, of two rows and of one row, with all kinds of operands.
  private static List<StepPlan> plans(Arena arena, long... sizes) {
    List<Row> rows = new ArrayList<>();
    for (long size : sizes) {
      rows.add(
          new Row(
              "p" + rows.size(),
              size,
              floats(arena, size),
              floats(arena, size),
              List.of(floats(arena, size)),
              floats(arena, size),
              arena.allocate(size * Short.BYTES, Short.BYTES)));
    }
    return StepPlan.of(FORMAT, List.of(rows.subList(0, 2), rows.subList(2, 3)));
  }

  private static MemorySegment floats(Arena arena, long size) {
    return arena.allocate(size * Float.BYTES, Float.BYTES);
  }

  private static List<MemorySegment> gradients(List<StepPlan> plans) {
    return List.of(
        plans.getFirst().gradient(0), plans.getFirst().gradient(1), plans.getLast().gradient(0));
  }

  private static boolean move(GradientRebinding moving, MemorySegment... to) {
    return moving.moveTo(List.of(new MemorySegment[] {to[0], to[1]}, new MemorySegment[] {to[2]}));
  }

  @Test
  void anIllegalGradientDoesNotMove() {
    try (Arena arena = Arena.ofShared();
        Arena other = Arena.ofShared()) {
      List<StepPlan> plans = plans(arena, 4, 0, 3);
      GradientRebinding moving = new GradientRebinding(plans);
      List<MemorySegment> before = gradients(plans);
      MemorySegment a = floats(arena, 4);
      MemorySegment b = floats(arena, 0);
      MemorySegment c = floats(arena, 3);
      Row first = plans.getFirst().rows().get(0);
      MemorySegment[][] refused = {
        {null, b, c},
        {floats(arena, 5), b, c},
        {MemorySegment.ofArray(new float[4]), b, c},
        {arena.allocate(20, 4).asSlice(2, 16), b, c},
        {floats(other, 4), b, c},
        {a, b, a.asSlice(4)},
        {first.data(), b, c},
        {a, b, first.states().getFirst().asSlice(4)},
        {a, b, first.average().asSlice(0, 12)},
        {a, b, first.halfPrecisionCopy().reinterpret(12)},
      };
      for (MemorySegment[] each : refused) {
        assertFalse(move(moving, each), List.of(each[2]).toString());
        assertEquals(before, gradients(plans));
      }
      StepPlan plan = plans.getLast();
      assertFalse(moving.moveTo(List.<MemorySegment[]>of(new MemorySegment[] {a, b})));
      assertFalse(moving.moveTo(List.of(new MemorySegment[] {a}, new MemorySegment[] {b, c})));
      plan.treatGradients(Float.POSITIVE_INFINITY, true);
      assertFalse(move(moving, a, b, c.asReadOnly()));
      assertEquals(before, gradients(plans));
      assertTrue(move(moving, a, b, c));
      assertEquals(List.of(a, b, c), gradients(plans));
      assertSame(c, plan.gradient(0));
    }
  }

  /// The expected result comes from a comparison of all pairs, which is slow but simple.
  @Test
  void gradientsMoveOnlyToFreeMemory() {
    long seed = System.nanoTime();
    System.out.println("GradientRebindingTest: seed " + seed);
    SplittableRandom random = new SplittableRandom(seed);
    int moved = 0;
    for (int round = 0; round < 2000; round++) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment block = arena.allocate(1000, 4);
        List<StepPlan> plans = somewhere(block, random);
        if (plans == null) {
          continue;
        }
        GradientRebinding moving = new GradientRebinding(plans);
        for (int i = 0; i < 10; i++) {
          List<Row> rows = plans.stream().flatMap(plan -> plan.rows().list().stream()).toList();
          MemorySegment[] to =
              rows.stream()
                  .map(row -> somewhere(block, row.size() * Float.BYTES, random))
                  .toArray(MemorySegment[]::new);
          List<MemorySegment> all = new ArrayList<>(List.of(to));
          for (Row row : rows) {
            all.addAll(row.states());
            all.addAll(List.of(row.data(), row.average(), row.halfPrecisionCopy()));
          }
          boolean free = areDisjoint(all);
          assertEquals(free, move(moving, to), all::toString);
          moved += free ? 1 : 0;
        }
      }
    }
    assertTrue(moved > 100, moved + " have moved");
  }

  private static boolean areDisjoint(List<MemorySegment> all) {
    for (int i = 0; i < all.size(); i++) {
      for (int k = 0; k < i; k++) {
        MemorySegment a = all.get(i);
        MemorySegment b = all.get(k);
        if (a.byteSize() > 0
            && b.byteSize() > 0
            && a.address() < b.address() + b.byteSize()
            && b.address() < a.address() + a.byteSize()) {
          return false;
        }
      }
    }
    return true;
  }

  private static MemorySegment somewhere(MemorySegment block, long bytes, SplittableRandom random) {
    return block.asSlice(random.nextLong((1000 - bytes) / 4 + 1) * 4, bytes);
  }

  /// @return plans at random places, or `null` if the places overlap
  private static List<StepPlan> somewhere(MemorySegment block, SplittableRandom random) {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      long size = random.nextLong(6);
      long bytes = size * Float.BYTES;
      rows.add(
          new Row(
              "p" + i,
              size,
              somewhere(block, bytes, random),
              somewhere(block, bytes, random),
              List.of(somewhere(block, bytes, random)),
              somewhere(block, bytes, random),
              somewhere(block, bytes / 2, random)));
    }
    try {
      return StepPlan.of(FORMAT, List.of(rows.subList(0, 2), rows.subList(2, 3)));
    } catch (IllegalArgumentException overlap) {
      return null;
    }
  }
}
