package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Tier;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;

/// Random parameters and gradients of a seed, and the resulting bits of an optimizer.
///
/// @param sizes the number of elements of each tensor
/// @param shift the offset of each operand from a 64-byte boundary, in elements
/// @param seed the seed of all numbers
/// @param steps the number of steps
/// @param special whether the numbers include NaN, infinities, denormals and signed zeros
record Problem(long[] sizes, int shift, long seed, int steps, boolean special) {
  private static final float[] SPECIAL = {
    0f,
    -0f,
    Float.MIN_VALUE,
    -1e-40f,
    Float.MIN_NORMAL,
    1e38f,
    -3e38f,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.NaN,
    Float.intBitsToFloat(0xffc12345)
  };

  static Problem of(long size, long seed, int steps) {
    return new Problem(new long[] {size}, 0, seed, steps, true);
  }

  /// All available backends: every native tier, vector and scalar.
  static List<Backend> backends() {
    List<Backend> all = new ArrayList<>();
    for (Tier tier : Backends.tiers()) {
      all.add(Backends.nativeCode(tier));
    }
    all.add(Backends.vector());
    all.add(Backends.scalar());
    return all;
  }

  /// Asserts that all backends of a GPU refuse a parameter of two dimensions. Skips the test if
  /// there is no GPU.
  ///
  /// @param words the message's after the backend's name
  static void assertGpuBackendsRefuse(
      String words, Function<Iterable<Parameter>, OptimizerBuilder<?>> preset) {
    GpuTests.need(1);
    Device gpu = Device.cuda(0);
    try (Arena arena = Arena.ofShared()) {
      Parameter p = Parameter.onDevice(gpu, "p", 6, gpu.allocate(24, arena)).withShape(2, 3);
      for (Backend backend : gpuBackends()) {
        var e =
            assertThrows(
                IllegalArgumentException.class,
                () -> preset.apply(List.of(p)).backend(backend).build());
        assertTrue(
            e.getMessage().startsWith("backend " + backend.name() + " " + words), e.getMessage());
      }
    }
  }

  /// The backends of a GPU: the update on the GPU, and the update on the CPU, without and with a
  /// master copy.
  static List<Backend> gpuBackends() {
    return gpuBackends(Backends.scalar());
  }

  /// @param onCpu the backend that updates on the CPU
  static List<Backend> gpuBackends(Backend onCpu) {
    DeviceStream stream = DeviceStream.defaultOf(Device.cuda(0));
    return List.of(
        Backends.cuda(0),
        Backends.offload(stream, onCpu),
        Backends.offloadWithMasterCopy(stream, onCpu));
  }

  /// The bits of all data and states after the last step, by name.
  Map<String, int[]> run(Case tested, Backend backend, int threads) {
    try (Arena arena = Arena.ofShared()) {
      SplittableRandom random = new SplittableRandom(seed);
      List<Parameter> parameters = parameters(arena, random, backend.device());
      try (Optimizer optimizer =
          tested.builder().apply(parameters).backend(backend).threads(threads).build()) {
        for (int step = 0; step < steps; step++) {
          for (Parameter each : parameters) {
            fillGradient(each, random);
          }
          optimizer.step();
          Case.updateHessian(optimizer);
        }
        return bits(optimizer, parameters);
      }
    }
  }

  List<Parameter> parameters(Arena arena, SplittableRandom random, Device device) {
    List<Parameter> parameters = new ArrayList<>();
    for (int i = 0; i < sizes.length; i++) {
      Parameter added =
          Parameter.onDevice(device, "p" + i, sizes[i], stream(arena, device, sizes[i]))
              .withShape(MatrixShapes.wide(sizes[i]));
      added.copyDataFrom(numbers(sizes[i], random));
      added.setGradient(stream(arena, device, sizes[i]));
      parameters.add(added);
    }
    return parameters;
  }

  private MemorySegment stream(Arena arena, Device device, long size) {
    MemorySegment memory = device.allocate((size + shift) * Float.BYTES, arena);
    return device.slice(memory, (long) shift * Float.BYTES, size * Float.BYTES);
  }

  void fillGradient(Parameter parameter, SplittableRandom random) {
    parameter.copyGradientFrom(numbers(parameter.size(), random));
  }

  private MemorySegment numbers(long size, SplittableRandom random) {
    float[] numbers = new float[(int) size];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = value(random);
    }
    return MemorySegment.ofArray(numbers);
  }

  private float value(SplittableRandom random) {
    long bits = random.nextLong();
    if (special && (bits & 31) == 0) {
      return SPECIAL[(int) ((bits >>> 8 & 0xffff) % SPECIAL.length)];
    }
    float mantissa = (bits >> 40) * 0x1p-23f;
    return mantissa * Math.scalb(1f, (int) (bits >>> 32 & 15) - 12);
  }

  static Map<String, int[]> bits(Optimizer optimizer, List<Parameter> parameters) {
    StateDict state = optimizer.stateDict();
    Map<String, int[]> all = new LinkedHashMap<>();
    for (Parameter each : parameters) {
      int[] data = new int[(int) each.size()];
      each.copyDataTo(MemorySegment.ofArray(data));
      all.put(each.name() + " data", data);
      state
          .parameters()
          .get(each.name())
          .states()
          .forEach((kind, segment) -> all.put(each.name() + " " + kind, segment.toArray(JAVA_INT)));
    }
    return all;
  }

  /// Describes the first difference between two results; `null` if they are equal.
  static String difference(Map<String, int[]> expected, Map<String, int[]> actual) {
    if (!expected.keySet().equals(actual.keySet())) {
      return "streams " + expected.keySet() + " and " + actual.keySet();
    }
    for (String stream : expected.keySet()) {
      int at = Arrays.mismatch(expected.get(stream), actual.get(stream));
      if (at >= 0) {
        return "%s[%d]: expected bits 0x%08x, found 0x%08x"
            .formatted(stream, at, expected.get(stream)[at], actual.get(stream)[at]);
      }
    }
    return null;
  }

  @Override
  public String toString() {
    String shown =
        sizes.length <= 3 ? Arrays.toString(sizes) : sizes.length + " tensors of mixed sizes";
    return "Problem[%s, shift %d, seed %d, %d steps, special %s]"
        .formatted(shown, shift, seed, steps, special);
  }
}
