package dev.panoptim.internal.matrix;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import dev.panoptim.internal.memory.Segments;
import dev.panoptim.internal.memory.Workspaces;
import dev.panoptim.internal.parallel.WorkSplit;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// The Newton-Schulz iteration of [Muon](https://kellerjordan.github.io/posts/muon/), in float32:
/// replaces the singular values of a matrix by values near 1.
///
/// X is the input, transposed if it has more rows than columns, and divided by `max(norm, 1e-7)`,
/// where `norm` is the Frobenius norm of the input. Then each step computes
///
/// ```
/// A = X * X';  B = b * A + c * A * A;  X = a * X + B * X
/// ```
///
/// and the output is X, transposed back. The norm is the root of a sum in the order of
/// `panoptim_sum_squares`, whose chunks are added in order. X = float(input * (1 / max(norm,
/// 1e-7))) in double. The products follow the law of [Products]. So all bits are the same on every
/// implementation of [Products] and at any number of threads. A zero matrix stays 0. A matrix with
/// an element that is not finite becomes NaN.
///
/// An object is for matrices of one shape, at fixed places. Several matrices of one shape are
/// orthogonalized together, in which case threads share better. Matrices of more dimensions are
/// flattened by the caller: their elements are those of a row-major matrix.
///
/// Not thread-safe: one call at a time. Calls allocate nothing.
public final class NewtonSchulz {
  /// The smallest divisor.
  private static final double LEAST_NORM = 1e-7;

  /// Below this number of elements, the passes over elements use one thread.
  private static final long SHARED_FROM = 32_768;

  private final List<MemorySegment> inputs;
  private final MemorySegment sums;
  private final long elements;
  private final long chunks;
  private final double[] factors;
  private final SharedWork squares;
  private final Transposition load;
  private final Transposition[] stores;
  private final float[] a;
  private final float[] b;
  private final float[] c;
  private final Product[] squaresOfX;
  private final Product polynomial;
  private final Product[] updates;

  /// Prepares iterations.
  ///
  /// @param products computes the products
  /// @param coefficients of the steps
  /// @param shape of all matrices
  /// @param inputs `rows * columns` floats each, off-heap: the rows of a matrix without gaps
  /// @param outputs as `inputs`, and may be the same segments; they overlap nothing else
  /// @param workspace off-heap memory of at least [#workspaceBytes], aligned to
  ///   [Workspaces#ALIGNMENT]. Objects that are not used at the same time may share it
  /// @param threads the most threads that take part in a call, including the calling one, from 1 to
  ///   [dev.panoptim.backend.Backend#MOST_THREADS]
  /// @throws IllegalArgumentException if a number is out of its range, or a segment is too small,
  ///   misaligned, on the heap or read-only
  public NewtonSchulz(
      Products products,
      NewtonSchulzCoefficients coefficients,
      Shape shape,
      List<MemorySegment> inputs,
      List<MemorySegment> outputs,
      MemorySegment workspace,
      int threads) {
    Matrices from = Matrices.dense(inputs, shape.rows, shape.columns);
    Matrices to = Matrices.dense(outputs, shape.rows, shape.columns);
    if (from.count() != shape.count || to.count() != shape.count) {
      throw new IllegalArgumentException(
          "there are %s inputs and %s outputs, but must be %s each"
              .formatted(from.count(), to.count(), shape.count));
    }
    outputs.forEach(each -> Segments.requireWritable("output", each));
    Workspaces.require(workspace, workspaceBytes(products, shape, threads));
    this.inputs = from.memory();
    elements = shape.rows * shape.columns;
    chunks = SumOfChunks.chunks(elements);
    factors = new double[shape.count];

    Slices slices = new Slices(workspace);
    sums = slices.next(shape.sumBytes());
    Matrices x = slices.matrices(shape.count, shape.small(), shape.large());
    Matrices y = slices.matrices(shape.count, shape.small(), shape.large());
    Matrices squared = slices.matrices(shape.count, shape.small(), shape.small());
    Matrices mixed = slices.matrices(shape.count, shape.small(), shape.small());
    MemorySegment rest = slices.rest();

    squaresOfX =
        new Product[] {
          products.prepare(new Operands(x, null, null, squared), rest, threads),
          products.prepare(new Operands(y, null, null, squared), rest, threads)
        };
    polynomial = products.prepare(new Operands(squared, null, squared, mixed), rest, threads);
    updates =
        new Product[] {
          products.prepare(new Operands(mixed, x, x, y), rest, threads),
          products.prepare(new Operands(mixed, y, y, x), rest, threads)
        };

    List<MemorySegment> memory = new ArrayList<>(from.memory());
    memory.addAll(to.memory());
    memory.add(workspace);
    long all = elements * shape.count;
    int elementThreads = all < SHARED_FROM ? 1 : threads;
    boolean isLong = WorkSplit.isLong(all);
    squares =
        new SharedWork(chunks * shape.count, elementThreads, isLong, memory) {
          @Override
          void work(long piece, int thread) {
            int matrix = (int) (piece / chunks);
            double sum =
                SumOfChunks.sum(NewtonSchulz.this.inputs.get(matrix), elements, piece % chunks);
            sums.setAtIndex(JAVA_DOUBLE, piece, sum);
          }
        };
    load = new Transposition(from, x, shape.transposed(), elementThreads, isLong, memory);
    stores =
        new Transposition[] {
          new Transposition(x, to, shape.transposed(), elementThreads, isLong, memory),
          new Transposition(y, to, shape.transposed(), elementThreads, isLong, memory)
        };

    int triples = coefficients.steps().size();
    a = new float[triples];
    b = new float[triples];
    c = new float[triples];
    for (int i = 0; i < triples; i++) {
      NewtonSchulzCoefficients.Step step = coefficients.at(i);
      a[i] = (float) step.a();
      b[i] = (float) step.b();
      c[i] = (float) step.c();
    }
  }

  /// The matrices of an object.
  ///
  /// Immutable and thread-safe.
  ///
  /// @param count the number of matrices, 0 or more
  /// @param rows 0 or more
  /// @param columns 0 or more
  public record Shape(int count, long rows, long columns) {
    /// @throws IllegalArgumentException if a number is below 0, or the matrices have more than 2^60
    ///   elements
    public Shape {
      if (count < 0 || rows < 0 || columns < 0) {
        throw new IllegalArgumentException(
            "count is %s, rows %s and columns %s, but must be 0 or more"
                .formatted(count, rows, columns));
      }
      if ((double) count * rows * columns > 0x1p60) {
        throw new IllegalArgumentException(
            "%s matrices of %s x %s have more than 2^60 elements".formatted(count, rows, columns));
      }
    }

    boolean transposed() {
      return rows > columns;
    }

    long small() {
      return Math.min(rows, columns);
    }

    long large() {
      return Math.max(rows, columns);
    }

    long sumBytes() {
      return count * SumOfChunks.chunks(rows * columns) * Double.BYTES;
    }
  }

  /// The bytes of the workspace. For each matrix, it holds two copies and two square matrices of
  /// the smaller dimension.
  ///
  /// @param threads as for the constructor
  public static long workspaceBytes(Products products, Shape shape, int threads) {
    long small = shape.small();
    long large = shape.large();
    long matrices = 2 * shape.count * (bytes(small, large) + bytes(small, small));
    long ofProducts =
        Math.max(
            products.workspaceBytes(
                new ProductShape(true, shape.count, small, small, large), threads),
            Math.max(
                products.workspaceBytes(
                    new ProductShape(true, shape.count, small, small, small), threads),
                products.workspaceBytes(
                    new ProductShape(false, shape.count, small, large, small), threads)));
    return Workspaces.aligned(shape.sumBytes()) + matrices + ofProducts;
  }

  private static long bytes(long rows, long columns) {
    return Workspaces.aligned(rows * columns * Float.BYTES);
  }

  /// Writes the orthogonalized inputs to the outputs.
  ///
  /// @param steps the number of steps, 1 or more; usually 5
  /// @param threads the most threads that take part, including the calling one; no more than the
  ///   object was made for
  /// @throws IllegalArgumentException if `steps` is below 1
  /// @throws IllegalStateException if memory's arena has been closed
  /// @throws WrongThreadException if memory's arena is confined to another thread
  public void orthogonalize(int steps, int threads) {
    if (steps < 1) {
      throw new IllegalArgumentException("steps is " + steps + ", but must be 1 or more");
    }
    squares.run(threads);
    for (int i = 0; i < factors.length; i++) {
      double sum = 0;
      for (long chunk = 0; chunk < chunks; chunk++) {
        sum += sums.getAtIndex(JAVA_DOUBLE, i * chunks + chunk);
      }
      factors[i] = 1 / Math.max(Math.sqrt(sum), LEAST_NORM);
    }
    load.run(factors, threads);
    for (int step = 0; step < steps; step++) {
      int triple = Math.min(step, a.length - 1);
      squaresOfX[step % 2].multiply(1, 0, threads);
      polynomial.multiply(c[triple], b[triple], threads);
      updates[step % 2].multiply(1, a[triple], threads);
    }
    stores[steps % 2].run(null, threads);
  }

  /// Divides the workspace.
  private static final class Slices {
    private final MemorySegment memory;
    private long taken;

    Slices(MemorySegment memory) {
      this.memory = memory;
    }

    MemorySegment next(long bytes) {
      MemorySegment slice = memory.asSlice(taken, bytes);
      taken += Workspaces.aligned(bytes);
      return slice;
    }

    Matrices matrices(int count, long rows, long columns) {
      List<MemorySegment> slices = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        slices.add(next(rows * columns * Float.BYTES));
      }
      return Matrices.dense(slices, rows, columns);
    }

    MemorySegment rest() {
      return memory.asSlice(taken);
    }
  }
}
