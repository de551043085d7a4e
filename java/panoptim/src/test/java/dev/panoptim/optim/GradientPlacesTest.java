package dev.panoptim.optim;

import static dev.panoptim.Illegal.assertSays;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Gradients whose addresses change at each step, as in frameworks that free gradients between
/// steps.
class GradientPlacesTest {
  /// More than the anchors of one call, and more than the elements of an offloaded slice.
  private static final int MOST = 1_100_000;

  private static final long[] SIZES = {301, 0, 5000, 1, 16, MOST, 77, 128, 128, 3, 40_000, 9, 5, 2};
  private static final int STEPS = 14;

  /// The places of the gradients at each step.
  enum Places {
    /// The same place at each step.
    STAY,
    /// Anywhere in one arena.
    ONE_ARENA,
    /// Anywhere in an arena for each gradient, so that a plan has several calls.
    OWN_ARENAS,
    /// Anywhere in several arenas, so that new plans are needed.
    ANY_ARENA
  }

  private static final int PLACES = 2;

  /// Two gradients of the same size, which can swap their places.
  private static final int FIRST_TWIN = 7;

  private static final int SECOND_TWIN = 8;

  /// A training of two groups. The second group is added at step 3, and sometimes loses a gradient.
  /// Steps clip by the norm of both groups, skip non-finite gradients, and zero the gradients. The
  /// state is loaded again at step 9.
  static Map<String, int[]> train(Backend backend, Places where, long seed) {
    Problem problem = new Problem(SIZES, 0, seed, STEPS, false);
    SplittableRandom random = new SplittableRandom(seed);
    List<Arena> open = new ArrayList<>();
    try (Arena arena = Arena.ofShared()) {
      Device device = backend.device();
      List<Parameter> parameters = problem.parameters(arena, random, device);
      List<MemorySegment> homes = parameters.stream().map(Parameter::gradient).toList();
      List<MemorySegment> places = new ArrayList<>();
      for (int i = 0; i < PLACES * SIZES.length; i++) {
        open.add(Arena.ofShared());
        int its =
            switch (where) {
              case STAY, ONE_ARENA -> 0;
              case OWN_ARENAS -> i % SIZES.length;
              case ANY_ARENA -> i;
            };
        places.add(device.allocate(SIZES[i % SIZES.length] * Float.BYTES, open.get(its)));
      }
      SplittableRandom wanders = new SplittableRandom(seed);
      try (Optimizer optimizer =
          AdamW.builder(parameters.subList(0, 3))
              .learningRate(0.1)
              .backend(backend)
              .threads(2)
              .options(o -> o.clipGradNorm(0.5).skipNonFinite(true).zeroGrad(true))
              .averageParameters(0.9)
              .halfPrecisionCopy(HalfPrecision.BFLOAT16)
              .build()) {
        for (int step = 0; step < STEPS; step++) {
          if (step == 3) {
            optimizer.addParamGroup(parameters.subList(3, SIZES.length), Map.of());
          } else if (step == 9) {
            optimizer.loadStateDict(optimizer.stateDict());
          }
          if (where == Places.ONE_ARENA && wanders.nextInt(2) == 0) {
            Collections.swap(places, FIRST_TWIN, SECOND_TWIN);
          }
          for (int i = 0; i < SIZES.length; i++) {
            Parameter each = parameters.get(i);
            int place = i + wanders.nextInt(PLACES) * SIZES.length;
            each.setGradient(where == Places.STAY ? homes.get(i) : places.get(place));
            problem.fillGradient(each, random);
            if (i == 4 && step % 5 == 4) {
              each.removeGradient();
            }
          }
          boolean skips = step == 7;
          if (skips) {
            float[] none = new float[(int) SIZES[2]];
            none[1234] = Float.NaN;
            parameters.get(2).copyGradientFrom(MemorySegment.ofArray(none));
          }
          assertEquals(skips, optimizer.step().skipped());
          for (Parameter each : parameters.subList(0, step < 3 ? 3 : SIZES.length)) {
            if (each.hasGradient()) {
              int[] gradient = new int[(int) each.size()];
              each.copyGradientTo(MemorySegment.ofArray(gradient));
              assertArrayEquals(new int[gradient.length], gradient, each + " at step " + step);
            }
          }
        }
        return Problem.bits(optimizer, parameters);
      }
    } finally {
      open.forEach(Arena::close);
    }
  }

  /// The bits that each training must reach, whether its gradients move or not.
  static final class Expected {
    static final long SEED = 5;
    static final Map<String, int[]> BITS = train(Backends.scalar(), Places.STAY, SEED);

    private Expected() {}
  }

  @ParameterizedTest
  @EnumSource
  void theBitsAreThoseOfGradientsThatStay(Places where) {
    for (Backend backend : Problem.backends()) {
      String difference = Problem.difference(Expected.BITS, train(backend, where, Expected.SEED));
      assertNull(difference, () -> backend + ", " + where);
    }
  }

  /// One parameter after the other gets an invalid gradient; then the training continues.
  @Test
  void illegalArgumentsAreRejectedAndChangeNothing() {
    try (Arena arena = Arena.ofShared();
        Parameters parameters = Parameters.builder().add("p", 4).add("q", 4).build();
        Optimizer optimizer = Sgd.builder(parameters).learningRate(1).build()) {
      Parameter p = parameters.get("p");
      Parameter q = parameters.get("q");
      MemorySegment block = arena.allocate(64, 4);
      p.setGradient(block.asSlice(0, 16));
      q.setGradient(block.asSlice(16, 16));
      optimizer.step();
      block.fill((byte) 0x3f);

      q.setGradient(block.asSlice(12, 16));
      assertSays("gradient of 'p' and gradient of 'q' share 4 bytes", optimizer::step);
      q.setGradient(p.data());
      assertSays("data of 'p' and gradient of 'q' share 16 bytes", optimizer::step);
      Arena closed = Arena.ofShared();
      q.setGradient(closed.allocate(16, 4));
      closed.close();
      assertThrows(IllegalStateException.class, optimizer::step);
      optimizer.options().zeroGrad(true);
      q.setGradient(block.asSlice(32, 16).asReadOnly());
      assertSays("gradient of 'q' is read-only", optimizer::step);
      assertEquals(1, optimizer.stepCount(p));
      assertArrayEquals(new int[4], p.data().toArray(ValueLayout.JAVA_INT));

      q.setGradient(block.asSlice(48, 16));
      assertEquals(2, optimizer.step().updatedParameters());
      optimizer.options().zeroGrad(false);
      q.setGradient(block.asSlice(32, 16).asReadOnly());
      optimizer.step();
      assertEquals(3, optimizer.stepCount(q));
      assertEquals(
          -2 * q.gradient().get(ValueLayout.JAVA_FLOAT, 0),
          q.data().get(ValueLayout.JAVA_FLOAT, 0));
    }
  }
}
