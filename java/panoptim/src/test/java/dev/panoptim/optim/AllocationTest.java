package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panoptim.Allocations;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Threading;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A compiled step allocates nothing on the calling thread. The vector backend is excluded: the
/// compiler decides at each run whether its vectors are allocated on the heap.
class AllocationTest {
  private static final int STEPS = 2000;

  static List<Case> cases() {
    return MixedCases.withSingle();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aStepAllocatesNothing(Case tested) {
    assertAllocatesNothing(tested, "native", 1, 33);
    assertAllocatesNothing(tested, "native", 2, 70_000);
    assertAllocatesNothing(tested, "scalar", 1, 33);
  }

  /// If the OpenMP library is missing, the pool is used.
  @Test
  void aStepByATeamAllocatesNothing() {
    try (Parameters parameters = Parameters.builder().add("p", 70_000).build();
        Optimizer optimizer =
            AdamW.builder(parameters)
                .threads(2)
                .threading(Threading.OPENMP)
                .options(o -> o.clipGradNorm(1))
                .backend(Backends.nativeCode())
                .build()) {
      Allocations.assertNone("by a team", STEPS / 20, optimizer::step);
    }
  }

  @Test
  void aStepWithEverythingAroundItAllocatesNothing() {
    Case everything =
        new Case(
            "everything",
            p ->
                AdamW.builder(p)
                    .averageParameters(0.9)
                    .halfPrecisionCopy(HalfPrecision.BFLOAT16)
                    .options(
                        o ->
                            o.gradientScale(0.5)
                                .clipGradNorm(1)
                                .clipGradValue(1)
                                .skipNonFinite(true)
                                .zeroGrad(true)),
            List.of());
    assertAllocatesNothing(everything, "native", 1, 33);
    assertAllocatesNothing(everything, "native", 2, 70_000);
    assertAllocatesNothing(everything, "scalar", 1, 33);
  }

  @Test
  void aSkippedStepAllocatesNothing() {
    try (Parameters parameters = Parameters.builder().add("a", 5).add("b", 33).build();
        Optimizer optimizer =
            AdamW.builder(parameters).options(o -> o.skipNonFinite(true).zeroGrad(true)).build()) {
      MemorySegment gradient = parameters.get("a").gradient();
      Allocations.assertNone(
          "skipped",
          STEPS,
          () -> {
            gradient.setAtIndex(ValueLayout.JAVA_FLOAT, 0, Float.NaN);
            optimizer.step();
          });
      assertEquals(0, optimizer.stepCount(parameters.get("a")));
    }
  }

  /// The gradients lie in the order of their parameters. Sorting other orders may allocate.
  @Test
  void gradientsThatMoveAllocateNothing() {
    int count = 100;
    long bytes = 33 * Float.BYTES;
    try (Arena arena = Arena.ofShared()) {
      List<Parameter> parameters = new ArrayList<>();
      MemorySegment[][] gradients = new MemorySegment[2][count];
      MemorySegment block = arena.allocate(2 * count * bytes, Float.BYTES);
      for (int i = 0; i < count; i++) {
        parameters.add(Parameter.of("p" + i, 33, arena.allocate(bytes, Float.BYTES)));
        gradients[0][i] = block.asSlice(i * bytes, bytes);
        gradients[1][i] = block.asSlice((count + i) * bytes, bytes);
      }
      try (Optimizer optimizer = AdamW.builder(parameters).build()) {
        int[] steps = new int[1];
        Allocations.assertNone(
            "gradients that move",
            STEPS / 20,
            () -> {
              MemorySegment[] now = gradients[steps[0]++ % 2];
              for (int i = 0; i < count; i++) {
                parameters.get(i).setGradient(now[i]);
              }
              optimizer.step();
            });
        assertEquals(steps[0], optimizer.stepCount(parameters.getFirst()));
      }
    }
  }

  @Test
  void stepsOfSomeParametersAllocateNothing() {
    for (String backend : new String[] {"native", "scalar"}) {
      try (Arena arena = Arena.ofShared();
          Parameters parameters = Parameters.builder().add("a", 5).add("b", 33).build();
          Optimizer optimizer =
              AdamW.builder(List.of(parameters.get("a")))
                  .group(List.of(parameters.get("b")), Map.of())
                  .backend(Backends.named(backend))
                  .build()) {
        Parameter a = parameters.get("a");
        Parameter[] one = {a};
        Parameter[] both = {parameters.get("b"), a};
        MemorySegment[] gradients = {arena.allocate(20, 4), arena.allocate(20, 4)};
        int[] steps = new int[1];
        Allocations.assertNone(
            backend,
            STEPS,
            () -> {
              a.setGradient(gradients[steps[0]++ % 2]);
              optimizer.step(one);
              optimizer.step(both);
            });
        assertEquals(2 * steps[0], optimizer.stepCount(a));
      }
    }
  }

  private static void assertAllocatesNothing(Case tested, String backend, int threads, int size) {
    try (Parameters parameters =
            Parameters.builder()
                .add("a", 1, 5)
                .add("b", MatrixShapes.wide(size))
                .add("empty", 1, 0)
                .build();
        Optimizer optimizer =
            tested
                .builder()
                .apply(parameters)
                .threads(threads)
                .backend(Backends.named(backend))
                .build()) {
      Allocations.assertNone(backend, size > 1000 ? STEPS / 20 : STEPS, optimizer::step);
    }
  }
}
