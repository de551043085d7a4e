package dev.panoptim.rows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// Fills a table until `panoptim.memory.limit` refuses more rows, and learns on.
final class IdTableLimitProbe {
  private static final int WIDTH = 64;

  private IdTableLimitProbe() {}

  public static void main(String[] args) {
    try (Arena arena = Arena.ofConfined();
        IdTable table =
            IdTable.builder(WIDTH).optimizer(RowOptimizer.adagrad(0.1)).uniform(1, 1).build()) {
      MemorySegment gradients = arena.allocate(1000L * WIDTH * 4, 4).fill((byte) 0x3f);
      long next = 0;
      long steps = 0;
      OutOfMemoryError refused = null;
      while (refused == null) {
        long[] ids = new long[1000];
        for (int i = 0; i < ids.length; i++) {
          ids[i] = next++;
        }
        int[] before = rowOf(table, ids[0]);
        try {
          table.step(RowIds.of(ids), gradients);
          steps++;
        } catch (OutOfMemoryError e) {
          refused = e;
          print("first values kept", Arrays.equals(before, rowOf(table, ids[0])));
          print("steps kept", table.steps() == steps);
        }
      }
      print("names the limit", refused.getMessage().contains("panoptim.memory.limit"));
      int[] before = rowOf(table, 5);
      table.step(RowIds.of(5), gradients.asSlice(0, WIDTH * 4));
      print("learns on", !Arrays.equals(before, rowOf(table, 5)) && table.steps() == steps + 1);
      IO.println("ROWS " + table.size() / 1000);
    }
  }

  private static int[] rowOf(IdTable table, long id) {
    float[] row = new float[WIDTH];
    table.read(id, MemorySegment.ofArray(row));
    return MemorySegment.ofArray(row).toArray(ValueLayout.JAVA_INT);
  }

  private static void print(String what, boolean holds) {
    IO.println((holds ? "YES " : "NO ") + what);
  }
}
