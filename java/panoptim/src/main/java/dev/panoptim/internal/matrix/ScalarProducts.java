package dev.panoptim.internal.matrix;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.internal.memory.Workspaces;
import dev.panoptim.internal.parallel.ThreadProperties;
import java.lang.foreign.MemorySegment;

/// Matrix products in plain Java, one element at a time: the readable specification. Tests compare
/// all other implementations with its bits. It needs no workspace.
///
/// Thread-safe.
public final class ScalarProducts implements Products {
  public static final ScalarProducts INSTANCE = new ScalarProducts();

  /// From this number of fused multiply-adds on, which take about 100 us, sleeping helpers are
  /// woken.
  private static final double WAKE_FROM = 1e5;

  private ScalarProducts() {}

  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public long workspaceBytes(ProductShape shape, int threads) {
    ThreadProperties.requireThreads(threads);
    return 0;
  }

  @Override
  public Product prepare(Operands operands, MemorySegment workspace, int threads) {
    Workspaces.require(workspace, workspaceBytes(operands.shape(), threads));
    return new Rows(operands, threads);
  }

  /// Each row of each result is a piece of work.
  private static final class Rows extends SharedWork implements Product {
    private final Operands operands;
    private final boolean symmetric;
    private float alpha;
    private float beta;

    Rows(Operands operands, int threads) {
      super(
          operands.count() * operands.rows(),
          threads,
          operands.shape().multiplyAdds() >= WAKE_FROM,
          operands.memory());
      this.operands = operands;
      symmetric = operands.symmetric();
    }

    @Override
    public void multiply(float alpha, float beta, int threads) {
      operands.requireFactor(beta);
      this.alpha = alpha;
      this.beta = beta;
      run(threads);
    }

    @Override
    void work(long piece, int thread) {
      int matrix = (int) (piece / operands.rows());
      long i = piece % operands.rows();
      MemorySegment output = operands.output().memory().get(matrix);
      long stride = operands.output().stride();
      for (long j = symmetric ? i : 0; j < operands.columns(); j++) {
        float element = Math.fma(alpha, chain(matrix, i, j), last(matrix, i, j));
        element = Float.isNaN(element) ? Float.NaN : element;
        output.setAtIndex(JAVA_FLOAT, i * stride + j, element);
        if (symmetric) {
          output.setAtIndex(JAVA_FLOAT, j * stride + i, element);
        }
      }
    }

    private float chain(int matrix, long i, long j) {
      MemorySegment left = operands.left().memory().get(matrix);
      MemorySegment right = symmetric ? left : operands.right().memory().get(matrix);
      long row = i * operands.left().stride();
      long at = symmetric ? j * operands.left().stride() : j;
      long next = symmetric ? 1 : operands.right().stride();
      float sum = 0;
      for (long k = 0; k < operands.depth(); k++) {
        sum =
            Math.fma(
                left.getAtIndex(JAVA_FLOAT, row + k),
                right.getAtIndex(JAVA_FLOAT, at + k * next),
                sum);
      }
      return sum;
    }

    private float last(int matrix, long i, long j) {
      if (beta == 0) {
        return 0;
      }
      Matrices added = operands.added();
      return beta * added.memory().get(matrix).getAtIndex(JAVA_FLOAT, i * added.stride() + j);
    }
  }
}
