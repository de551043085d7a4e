package dev.panoptim.bench;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// A training on the first GPU, or on the CPU for comparison.
///
/// The values of all tensors, one tensor after the other, repeat a [GpuPattern]. AdamW treats all
/// elements alike, so a training of one period on the CPU has the expected values.
final class GpuTraining implements AutoCloseable {
  private static final float SCALE = 0.5f;

  /// The root mean square to which gradients are clipped; scaled gradients have at least 0.0025.
  private static final double CLIP_AT = 0.002;

  private static final double AVERAGE_DECAY = 0.999;

  /// The relative tolerance. The norm of all gradients is not exactly a multiple of the norm of one
  /// period.
  private static final double TOLERANCE = 1e-5;

  /// The last bit of a bfloat16 copy may differ where the value is near a tie.
  private static final double TOLERANCE_OF_BFLOAT16 = 1.0 / 64;

  private final GpuCase kind;
  private final TensorSizes sizes;
  private final Device device;
  private final GpuPattern pattern;
  private final Parameters parameters;
  private final Arena arena = Arena.ofShared();

  /// Sets of addresses of gradients in memory that this library has not allocated: one address for
  /// each tensor. There are none unless gradients move.
  private final MemorySegment[][] elsewhere;

  private final Optimizer optimizer;
  private int steps;

  /// @param memory for the gradients that this library does not allocate; `null` on the CPU
  GpuTraining(GpuCase kind, TensorSizes sizes, Device device, GpuMemory memory) {
    this.kind = kind;
    this.sizes = sizes;
    this.device = device;
    pattern = new GpuPattern(Math.min(GpuPattern.LONGEST, sizes.total()));
    Parameters.Builder builder = Parameters.builder().device(device);
    for (int i = 0; i < sizes.count(); i++) {
      builder.add("p" + i, sizes.elements());
    }
    parameters = builder.build();
    List<Parameter> all = parameters.all();
    for (int i = 0; i < all.size(); i++) {
      pattern.write(GpuPattern.DATA, device, all.get(i).data(), start(i), sizes.elements());
      pattern.write(GpuPattern.GRADIENT, device, all.get(i).gradient(), start(i), sizes.elements());
    }
    elsewhere = new MemorySegment[kind.gradientsElsewhere()][];
    for (int set = 0; set < elsewhere.length; set++) {
      long bytes = (long) Float.BYTES * sizes.elements();
      elsewhere[set] =
          memory == null
              ? new MemorySegment[] {arena.allocate(bytes, 64)}
              : memory.allocate(sizes.count(), bytes);
      for (int i = 0; i < sizes.count(); i++) {
        pattern.write(
            GpuPattern.GRADIENT + set, device, elsewhere[set][i], start(i), sizes.elements());
      }
    }
    Backend backend = device.isCpu() ? Backends.nativeCode() : kind.backend(device);
    AdamW.Builder options = AdamW.builder(parameters).backend(backend).threads(kind.threads());
    if (kind == GpuCase.FUSED) {
      double norm = CLIP_AT * Math.sqrt(sizes.total());
      options
          .averageParameters(AVERAGE_DECAY)
          .halfPrecisionCopy(HalfPrecision.BFLOAT16)
          .options(o -> o.gradientScale(SCALE).clipGradNorm(norm).zeroGrad(true));
    }
    optimizer = options.build();
  }

  /// The position of a tensor's first element in all values.
  private long start(int tensor) {
    return (long) tensor * sizes.elements();
  }

  /// Enqueues a step; completes it if it is offloaded or on the CPU.
  void step() {
    if (kind == GpuCase.MOVING_GRADIENTS) {
      MemorySegment[] gradients = elsewhere[steps % elsewhere.length];
      List<Parameter> all = parameters.all();
      for (int i = 0; i < gradients.length; i++) {
        all.get(i).setGradient(gradients[i]);
      }
    }
    optimizer.step();
    steps++;
  }

  void await() {
    optimizer.await();
  }

  /// Restores gradients that steps have set to 0.
  void restoreGradients() {
    if (kind == GpuCase.FUSED) {
      List<Parameter> all = parameters.all();
      for (int i = 0; i < all.size(); i++) {
        pattern.write(
            GpuPattern.GRADIENT, device, all.get(i).gradient(), start(i), sizes.elements());
      }
    }
  }

  /// Compares all values with those of a training on the CPU that has made as many steps. They have
  /// the same bits, unless the norms are of different numbers of gradients.
  ///
  /// @throws IllegalStateException if they differ
  void requireSameAs(GpuTraining expected) {
    Parameter theirs = expected.parameters.all().getFirst();
    boolean exact = kind != GpuCase.FUSED || sizes.equals(expected.sizes);
    double tolerance = exact ? 0 : TOLERANCE;
    for (int i = 0; i < sizes.count(); i++) {
      Parameter ours = parameters.all().get(i);
      GpuPattern.Place place = new GpuPattern.Place(device, start(i), sizes.elements());
      place.requireFloats("data", ours.data(), theirs.data(), tolerance);
      if (kind == GpuCase.FUSED) {
        place.requireFloats("gradient", ours.gradient(), theirs.gradient(), 0);
        place.requireFloats(
            "average", optimizer.average(ours), expected.optimizer.average(theirs), tolerance);
        place.requireBfloat16(
            "bfloat16 copy",
            optimizer.halfPrecisionCopy(ours),
            expected.optimizer.halfPrecisionCopy(theirs),
            exact ? 0 : TOLERANCE_OF_BFLOAT16);
      }
    }
  }

  @Override
  public void close() {
    // The optimizer is closed first. If that fails, the others are closed all the same.
    try (Arena third = arena;
        Parameters second = parameters;
        Optimizer first = optimizer) {}
  }
}
