package dev.panoptim.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// The loops of AdamW's native step with the library's constants, in turn with one constant
/// changed. Each thread processes a fixed half of the elements, unlike in the library. Both
/// variants must reach the same bits, which is checked before the timing.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3)
@Measurement(iterations = 15)
public class ConstantsBenchmark {
  /// The smallest number of elements that a timed run of steps updates.
  private static final int ELEMENTS_OF_A_PAIR = 1 << 25;

  @Param({
    "fetchAhead=0",
    "fetchAhead=32",
    "fetchAhead=64",
    "fetchAhead=256",
    "fetchAhead=512",
    "chunk=1024",
    "chunk=4096",
    "chunk=65536",
    "stagger=0",
    "stagger=64",
    "stagger=8256",
    "stagger=66368",
    "hugePages=0",
    "tile=256",
    "tile=4096",
    "streamed=0"
  })
  public String changed;

  @Param({"65536", "33554432"})
  public int elements;

  private Constants.Run chosen;
  private Constants.Run other;

  @Setup
  public void setUp() {
    boolean withCopy = changed.startsWith("tile") || changed.startsWith("streamed");
    // One thread for data in cache, because starting another takes as long as the step.
    int threads = elements < ELEMENTS_OF_A_PAIR ? 1 : 2;
    chosen = Constants.CHOSEN.new Run(elements, threads, withCopy);
    other = Constants.chosenWith(changed).new Run(elements, threads, withCopy);
    for (int i = 0; i < 3; i++) {
      chosen.step();
      other.step();
    }
    chosen.requireSame(other);
  }

  @Benchmark
  public void pair(Pair pair) {
    long start = System.nanoTime();
    steps(chosen);
    long between = System.nanoTime();
    steps(other);
    pair.stepNanos += between - start;
    pair.otherNanos += System.nanoTime() - between;
  }

  private void steps(Constants.Run run) {
    for (int i = 0; i < Math.ceilDiv(ELEMENTS_OF_A_PAIR, elements); i++) {
      run.step();
    }
  }

  @TearDown
  public void tearDown() {
    chosen.close();
    other.close();
  }
}
