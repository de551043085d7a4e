package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The benchmark of optimizers with factors times steps of both optimizers.
class FactorBenchmarkTest {
  @ParameterizedTest
  @EnumSource
  void aPairIsAStepOfEach(FactorBenchmark.Kind kind) {
    FactorBenchmark benchmark = new FactorBenchmark();
    benchmark.kind = kind;
    benchmark.rows = 30;
    benchmark.columns = 50;
    benchmark.threads = 2;
    benchmark.setUp();
    try {
      float[] before = benchmark.parameter().data().toArray(JAVA_FLOAT);
      Pair pair = new Pair();
      for (int i = 0; i < 3; i++) {
        benchmark.pair(pair);
      }
      assertTrue(pair.stepNanos > 0 && pair.otherNanos > 0);
      float[] after = benchmark.parameter().data().toArray(JAVA_FLOAT);
      for (int i = 0; i < before.length; i++) {
        assertTrue(after[i] != before[i] && Float.isFinite(after[i]), kind + ", element " + i);
      }
      assertEquals(1500, after.length);
    } finally {
      benchmark.tearDown();
    }
  }
}
