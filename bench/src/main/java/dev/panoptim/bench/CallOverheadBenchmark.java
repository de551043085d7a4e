package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.panoptim.backend.Backends;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.CompilerControl;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// The cost of a call from Java into C++ and back: an addition of 1 by every kind of call, and a
/// step over 0 parameters.
///
/// A step uses the plain downcall. Critical downcalls block the garbage collector of the whole
/// process until they return, so they suit only very short calls.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class CallOverheadBenchmark {
  private static final FunctionDescriptor LONG_TO_LONG =
      FunctionDescriptor.of(JAVA_LONG, JAVA_LONG);

  private static final MethodHandle PLAIN = BenchLibrary.find("panoptim_successor", LONG_TO_LONG);

  private static final MethodHandle CRITICAL =
      BenchLibrary.find("panoptim_successor", LONG_TO_LONG, Linker.Option.critical(false));

  private static final MethodHandle CRITICAL_ON_HEAP =
      BenchLibrary.find(
          "panoptim_successor_at",
          FunctionDescriptor.of(JAVA_LONG, ADDRESS),
          Linker.Option.critical(true));

  static {
    BenchLibrary.loadForJni();
  }

  private final MemorySegment onHeap = MemorySegment.ofArray(new long[1]);
  private long number;
  private Training empty;

  @Setup
  public void setUp() {
    empty = new Training(BenchedOptimizer.ADAMW, 0, Backends.nativeCode(), 1);
  }

  @Benchmark
  public long java() {
    return number = successorInJava(number);
  }

  @CompilerControl(CompilerControl.Mode.DONT_INLINE)
  private static long successorInJava(long number) {
    return number + 1;
  }

  @Benchmark
  public long jni() {
    return number = successorByJni(number);
  }

  private static native long successorByJni(long number);

  @Benchmark
  public long downcall() throws Throwable {
    return number = (long) PLAIN.invokeExact(number);
  }

  @Benchmark
  public long criticalDowncall() throws Throwable {
    return number = (long) CRITICAL.invokeExact(number);
  }

  @Benchmark
  public long criticalDowncallOnHeap() throws Throwable {
    onHeap.setAtIndex(JAVA_LONG, 0, number);
    return number = (long) CRITICAL_ON_HEAP.invokeExact(onHeap);
  }

  @Benchmark
  public int emptyStep() {
    return empty.optimizer.step().updatedParameters();
  }

  @TearDown
  public void tearDown() {
    empty.close();
  }
}
