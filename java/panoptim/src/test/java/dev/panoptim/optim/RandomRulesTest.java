package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Tier;
import dev.panoptim.rule.EveryRule;
import dev.panoptim.rule.Rule;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Random compositions give the same bits on every backend.
class RandomRulesTest {
  static final long SEED = 20261124;
  private static final int RULES = Boolean.getBoolean("panoptim.exhaustive") ? 200 : 30;

  static Set<Rule> rules(int count) {
    List<Rule> legal = EveryRule.legal();
    Set<Rule> rules = new LinkedHashSet<>();
    SplittableRandom random = new SplittableRandom(SEED);
    while (rules.size() < count) {
      rules.add(legal.get(random.nextInt(legal.size())));
    }
    return rules;
  }

  static Case described(Rule rule) {
    return new Case(
        rule.describe(), p -> Optimizer.builder(rule, p).learningRate(0.01), rule.stateNames());
  }

  @Test
  void everyBackendReachesTheSameBits() {
    for (Rule rule : rules(RULES)) {
      Case tested = described(rule);
      for (Problem problem :
          new Problem[] {
            new Problem(new long[] {67, 16}, 1, SEED, 12, true),
            new Problem(new long[] {35_003}, 0, SEED + 1, 2, false)
          }) {
        Map<String, int[]> expected = problem.run(tested, Backends.scalar(), 1);
        assertTrue(expected.containsKey("p0 data"));
        for (Tier tier : Backends.tiers()) {
          assertSame(tested, problem, expected, Backends.nativeCode(tier));
        }
        assertSame(tested, problem, expected, Backends.vector());
      }
    }
  }

  private static void assertSame(
      Case tested, Problem problem, Map<String, int[]> expected, Backend backend) {
    for (int threads = 1; threads <= 3; threads++) {
      String difference = Problem.difference(expected, problem.run(tested, backend, threads));
      int number = threads;
      assertNull(
          difference,
          () ->
              "%s on %s (%s), %d threads, %s"
                  .formatted(tested, backend, backend.describe(), number, problem));
    }
  }
}
