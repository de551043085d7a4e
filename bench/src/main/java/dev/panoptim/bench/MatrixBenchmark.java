package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.panoptim.backend.Backends;
import dev.panoptim.internal.matrix.Matrices;
import dev.panoptim.internal.matrix.Operands;
import dev.panoptim.internal.matrix.Product;
import dev.panoptim.internal.matrix.Products;
import dev.panoptim.internal.memory.Workspaces;
import dev.panoptim.internal.step.Engine;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
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

/// A matrix product and a limit or another library's product, in turn: the result is the ratio of
/// their times.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3)
@Measurement(iterations = 10)
public class MatrixBenchmark {
  /// As many fused multiply-adds as the product has, in registers.
  static final String PEAK = "peak";

  static final String OPENBLAS = "openblas";

  /// OpenBLAS's threads wait actively for so long after a product.
  private static final long PAUSE_NANOS = 100_000_000;

  private static final MethodHandle PEAK_KERNEL =
      BenchLibrary.find("panoptim_peak", FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_INT));

  /// Rows, depth and columns; without columns, the symmetric product of a matrix with its
  /// transpose.
  @Param({"1024x1024x1024", "1024x4096", "4096x1024x1024"})
  public String shape;

  @Param({"1", "2"})
  public int threads;

  /// `native`, `vector` or `scalar`.
  @Param("native")
  public String backend;

  @Param({PEAK, OPENBLAS})
  public String against;

  private Arena arena;
  private Operands operands;
  private Product product;
  private Runnable other;

  @Setup
  public void setUp() {
    arena = Arena.ofShared();
    int[] sizes = Arrays.stream(shape.split("x")).mapToInt(Integer::parseInt).toArray();
    int rows = sizes[0];
    int depth = sizes[1];
    int columns = sizes.length > 2 ? sizes[2] : rows;
    Random random = new Random(1);
    Matrices left = matrix(random, rows, depth);
    Matrices right = sizes.length > 2 ? matrix(random, depth, columns) : null;
    operands = new Operands(left, right, null, matrix(random, rows, columns));
    Products products = Engine.of(Backends.named(backend)).products();
    MemorySegment workspace =
        arena.allocate(products.workspaceBytes(operands.shape(), threads), Workspaces.ALIGNMENT);
    product = products.prepare(operands, workspace, threads);
    other = other(random);
    product.multiply(1, 0, threads);
    requireCorrect(random);
  }

  private Matrices matrix(Random random, int rows, int columns) {
    MemorySegment memory = arena.allocate((long) rows * columns * Float.BYTES, 64);
    for (long i = 0; i < (long) rows * columns; i++) {
      memory.setAtIndex(JAVA_FLOAT, i, random.nextFloat() - 0.5f);
    }
    return Matrices.dense(List.of(memory), rows, columns);
  }

  private Runnable other(Random random) {
    if (against.equals(PEAK)) {
      long multiplyAdds = (long) operands.shape().multiplyAdds();
      return () ->
          Downcall.run(
              () -> {
                PEAK_KERNEL.invokeExact(multiplyAdds, threads);
                return null;
              });
    }
    Path file = OpenBlas.file();
    if (file == null) {
      throw new IllegalStateException(
          "there is no OpenBLAS: activate the profile bench-peers, or name its file with -D"
              + OpenBlas.PROPERTY);
    }
    OpenBlas blas = new OpenBlas(file, threads);
    int rows = (int) operands.rows();
    int columns = (int) operands.columns();
    int depth = (int) operands.depth();
    MemorySegment left = operands.left().memory().getFirst();
    MemorySegment output = matrix(random, rows, columns).memory().getFirst();
    Runnable multiply =
        operands.symmetric()
            ? () -> blas.multiplySymmetric(rows, depth, left, output)
            : () ->
                blas.multiply(
                    rows, columns, depth, left, operands.right().memory().getFirst(), output);
    multiply.run();
    requireNear(random, output);
    return multiply;
  }

  /// Compares some elements with sums of doubles.
  private void requireCorrect(Random random) {
    requireNear(random, operands.output().memory().getFirst());
  }

  private void requireNear(Random random, MemorySegment output) {
    for (int sample = 0; sample < 100; sample++) {
      long i = random.nextLong(operands.rows());
      long j = random.nextLong(operands.symmetric() ? i : 0, operands.columns());
      double sum = 0;
      for (long k = 0; k < operands.depth(); k++) {
        sum += (double) left(i, k) * right(k, j);
      }
      double actual = output.getAtIndex(JAVA_FLOAT, i * operands.columns() + j);
      if (!(Math.abs(actual - sum) <= 1e-6 * operands.depth())) {
        throw new AssertionError(
            "element %s, %s is %s, but should be near %s".formatted(i, j, actual, sum));
      }
    }
  }

  private float left(long i, long k) {
    return operands.left().memory().getFirst().getAtIndex(JAVA_FLOAT, i * operands.depth() + k);
  }

  private float right(long k, long j) {
    return operands.symmetric()
        ? left(j, k)
        : operands.right().memory().getFirst().getAtIndex(JAVA_FLOAT, k * operands.columns() + j);
  }

  @Benchmark
  public void pair(Pair pair) {
    long start = System.nanoTime();
    product.multiply(1, 0, threads);
    long between = System.nanoTime();
    other.run();
    long end = System.nanoTime();
    pair.stepNanos += between - start;
    pair.otherNanos += end - between;
    if (against.equals(OPENBLAS) && threads > 1) {
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  @TearDown
  public void tearDown() {
    arena.close();
  }
}
