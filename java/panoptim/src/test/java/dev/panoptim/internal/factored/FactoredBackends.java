package dev.panoptim.internal.factored;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.internal.memory.Workspaces;
import dev.panoptim.internal.step.Engine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Every backend on the host, and random operands for its operations.
final class FactoredBackends {
  private static final float[] SPECIAL = {
    0, -0f, Float.MIN_VALUE, -1e-40f, 3e38f, -3e38f, Float.NEGATIVE_INFINITY, Float.NaN
  };

  private FactoredBackends() {}

  static List<Backend> all() {
    List<Backend> all = new ArrayList<>(List.of(Backends.scalar(), Backends.vector()));
    Backends.tiers().forEach(tier -> all.add(Backends.nativeCode(tier)));
    return all;
  }

  /// Whether the Vector API allocates depends on what HotSpot inlines.
  static List<Backend> withoutVectorApi() {
    List<Backend> all = all();
    all.remove(Backends.vector());
    return all;
  }

  static FactoredOperations operations(
      Backend backend, Arena arena, FactoredShape shape, int threads) {
    MemorySegment workspace =
        arena.allocate(Math.max(1, shape.workspaceBytes()), Workspaces.ALIGNMENT);
    return Engine.of(backend).factoredOperations(shape, workspace, threads);
  }

  /// Random numbers, one element further than an alignment of 64 bytes.
  ///
  /// @param specials how many of 1000 elements are zeros, denormals, huge or not finite
  static MemorySegment random(Arena arena, Random random, long length, int specials) {
    MemorySegment made = arena.allocate(4L * (length + 1), 64).asSlice(Float.BYTES, 4L * length);
    for (long i = 0; i < length; i++) {
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

  static MemorySegment copy(Arena arena, MemorySegment source) {
    return arena
        .allocate(Math.max(4, source.byteSize()), 64)
        .asSlice(0, source.byteSize())
        .copyFrom(source);
  }
}
