package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Threading;
import dev.panoptim.backend.Tier;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every backend and tier, at any number of threads, gives the bits of the scalar backend on one
/// thread.
class SameBitsTest {
  private static final int CHUNK = 16384;
  private static final boolean EXHAUSTIVE = Boolean.getBoolean("panoptim.exhaustive");

  static List<Case> cases() {
    return MixedCases.withSingle();
  }

  private static void assertSameBits(Case tested, Problem problem, int... threads) {
    Map<String, int[]> expected = problem.run(tested, Backends.scalar(), 1);
    for (Backend backend : Problem.backends()) {
      for (int number : threads) {
        String difference = Problem.difference(expected, problem.run(tested, backend, number));
        assertNull(
            difference,
            () ->
                "%s on %s (%s), %d threads, %s"
                    .formatted(tested, backend, backend.describe(), number, problem));
      }
    }
  }

  @Test
  void theMostCapableTierOfThisProcessorIsAmongThoseTested() {
    assertTrue(Backends.tiers().contains(Tier.BASELINE));
    assertTrue(
        Backends.nativeCode().describe().startsWith("tier " + Backends.tiers().getLast().label()));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void atEverySize(Case tested) {
    long[] all = {
      0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 4097, CHUNK - 1, CHUNK, CHUNK + 1
    };
    long[] few = {0, 1, 3, 8, 17, 33, CHUNK + 1};
    for (long size : EXHAUSTIVE ? all : few) {
      assertSameBits(tested, Problem.of(size, 100 + size, 2), 1);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void onUnalignedSlices(Case tested) {
    for (int shift = 1; shift <= 17; shift += EXHAUSTIVE ? 2 : 5) {
      Problem problem = new Problem(new long[] {301, 77}, shift, shift, 2, true);
      assertSameBits(tested, problem, 1, 2);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void afterManySteps(Case tested) {
    assertSameBits(tested, new Problem(new long[] {133, 16}, 0, 5, 120, false), 1, 2);
    assertSameBits(tested, new Problem(new long[] {133, 16}, 0, 6, 120, true), 1, 2);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void withManyTensorsAndThreads(Case tested) {
    for (int count : EXHAUSTIVE ? new int[] {2, 17, 300} : new int[] {17}) {
      SplittableRandom random = new SplittableRandom(count);
      long[] sizes = new long[count];
      for (int i = 0; i < count; i++) {
        sizes[i] = random.nextInt(10) == 0 ? random.nextInt(20000) : random.nextInt(200);
      }
      sizes[count / 2] = 3 * CHUNK + 5;
      int[] threads = EXHAUSTIVE ? new int[] {1, 2, 3} : new int[] {3};
      assertSameBits(tested, new Problem(sizes, 0, count, 3, true), threads);
    }
  }

  /// With a team of OpenMP threads, if the library was built.
  @ParameterizedTest
  @MethodSource("cases")
  void byATeam(Case tested) {
    assumeTrue(
        Threading.OPENMP.unavailableReason().isEmpty(),
        () -> Threading.OPENMP.unavailableReason().orElseThrow());
    Problem problem = new Problem(new long[] {3 * CHUNK + 5, 17, 2 * CHUNK}, 0, 9, 3, true);
    Map<String, int[]> expected = problem.run(tested, Backends.scalar(), 1);
    Backend backend = Backends.nativeCode().with(Threading.OPENMP);
    for (int threads : new int[] {2, 4}) {
      String difference = Problem.difference(expected, problem.run(tested, backend, threads));
      assertNull(difference, () -> "%s, %d threads, %s".formatted(tested, threads, problem));
    }
  }
}
