package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.backend.Backend;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/// Parameters of mixed sizes, and optimizers of them, for tests of the operations of a step besides
/// the update.
final class MixedSizes {
  static final long[] SIZES = {0, 1, 17, 1024, 4097, 16384, 40_003};
  static final int STEPS = 3;

  private MixedSizes() {}

  static Parameters parameters() {
    Parameters.Builder builder = Parameters.builder();
    for (int i = 0; i < SIZES.length; i++) {
      builder.add("p" + i, MatrixShapes.wide(SIZES[i]));
    }
    return builder.build();
  }

  static void fill(MemorySegment segment, SplittableRandom random) {
    for (long i = 0; i < segment.byteSize() / Float.BYTES; i++) {
      segment.setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
    }
  }

  static Optimizer built(
      Case tested,
      Parameters parameters,
      Backend backend,
      int threads,
      Consumer<CommonOptions<?>> options) {
    CommonOptions<?> builder = tested.builder().apply(parameters);
    options.accept(builder);
    return builder.backend(backend).threads(threads).build();
  }
}
