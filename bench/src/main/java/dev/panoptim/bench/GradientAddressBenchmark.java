package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.memory.GradientSource;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// The time to set the address of a parameter's gradient, for each of 1,000 parameters. The caller
/// passes the present address, another address, or a segment that it makes of another address. In
/// the fourth case, a source returns the present address.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class GradientAddressBenchmark {
  static final int PARAMETERS = 1000;
  private static final long SIZE = 256;
  private static final long BYTES = SIZE * Float.BYTES;

  final Parameter[] parameters = new Parameter[PARAMETERS];
  final Parameter[] withSource = new Parameter[PARAMETERS];

  /// Two addresses for each gradient.
  final long[][] addresses = new long[2][PARAMETERS];

  private final Arena arena = Arena.ofShared();
  private int place;

  @Setup
  public void setUp() {
    for (int i = 0; i < PARAMETERS; i++) {
      for (long[] each : addresses) {
        each[i] = arena.allocate(JAVA_FLOAT, SIZE).address();
      }
      long data = arena.allocate(JAVA_FLOAT, SIZE).address();
      parameters[i] = Parameter.ofAddress("w" + i, SIZE, data, addresses[0][i]);
      withSource[i] = Parameter.ofAddress("w" + i, SIZE, data);
      withSource[i].setGradientSource(new FixedSource(addresses[0][i]));
    }
  }

  private record FixedSource(long gradientAddress) implements GradientSource {
    @Override
    public void dropGradient() {
      throw new UnsupportedOperationException("the benchmark drops no gradient");
    }
  }

  @Benchmark
  @OperationsPerInvocation(PARAMETERS)
  public void presentAddress() {
    for (int i = 0; i < PARAMETERS; i++) {
      parameters[i].setGradientAddress(addresses[0][i]);
    }
  }

  @Benchmark
  @OperationsPerInvocation(PARAMETERS)
  public void otherAddress() {
    place = 1 - place;
    for (int i = 0; i < PARAMETERS; i++) {
      parameters[i].setGradientAddress(addresses[place][i]);
    }
  }

  @Benchmark
  @OperationsPerInvocation(PARAMETERS)
  public void segmentOfOtherAddress() {
    place = 1 - place;
    for (int i = 0; i < PARAMETERS; i++) {
      parameters[i].setGradient(MemorySegment.ofAddress(addresses[place][i]).reinterpret(BYTES));
    }
  }

  @Benchmark
  @OperationsPerInvocation(PARAMETERS)
  public void source() {
    for (Parameter each : withSource) {
      each.updateGradient();
    }
  }

  @TearDown
  public void tearDown() {
    arena.close();
  }
}
