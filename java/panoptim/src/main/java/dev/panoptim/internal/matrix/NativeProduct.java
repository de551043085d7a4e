package dev.panoptim.internal.matrix;

import dev.panoptim.internal.bindings.Downcall;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.bindings.panoptim_product;
import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Workspaces;
import dev.panoptim.internal.parallel.PooledWork;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A prepared product for native code: an off-heap structure with the addresses of all matrices.
///
/// An address does not keep its arena open. So the downcall also passes one segment of each arena,
/// and the linker keeps these arenas open until the call returns.
///
/// Not thread-safe.
final class NativeProduct extends PooledWork implements Product {
  /// The most arenas of the operands and the workspace.
  private static final int HOLDS = 4;

  private static final long CACHE_LINE = 64;

  /// From this number of fused multiply-adds on, a second thread pays if it is awake: about 20 us
  /// of one thread.
  private static final double SHARED_FROM = 1 << 21;

  /// From this number on, waking a sleeping thread pays: about 200 us of one thread.
  private static final double WAKE_FROM = 1 << 24;

  private static final class Function {
    static final MethodHandle MULTIPLY =
        PanoptimAbi.panoptim_multiply
            .makeInvoker(
                ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS)
            .handle();
  }

  private final Operands operands;
  private final MemorySegment product;
  private final MemorySegment[] holds;
  private final int mostThreads;
  private final boolean isLong;

  NativeProduct(NativeProducts products, Operands operands, MemorySegment workspace, int threads) {
    this.operands = operands;
    SegmentAllocator memory = memory(operands);
    product = panoptim_product.allocate(memory);
    Workspaces.require(workspace, products.fill(product, operands.shape(), threads));
    panoptim_product.workspace(product, workspace);
    writeStrides();
    panoptim_product.left(product, addresses(operands.left(), memory));
    if (!operands.symmetric()) {
      panoptim_product.right(product, addresses(operands.right(), memory));
    }
    if (operands.added() != null) {
      panoptim_product.added(product, addresses(operands.added(), memory));
    }
    panoptim_product.output(product, addresses(operands.output(), memory));
    holds = holds(operands, workspace);
    double multiplyAdds = operands.shape().multiplyAdds();
    mostThreads = multiplyAdds >= SHARED_FROM ? threads : 1;
    isLong = multiplyAdds >= WAKE_FROM;
  }

  private void writeStrides() {
    panoptim_product.left_stride(product, operands.left().stride());
    if (!operands.symmetric()) {
      panoptim_product.right_stride(product, operands.right().stride());
    }
    if (operands.added() != null) {
      panoptim_product.added_stride(product, operands.added().stride());
    }
    panoptim_product.output_stride(product, operands.output().stride());
  }

  private static SegmentAllocator memory(Operands operands) {
    long bytes =
        panoptim_product.sizeof() + operands.memory().size() * ValueLayout.ADDRESS.byteSize();
    return SegmentAllocator.slicingAllocator(
        new CollectedMemory(MemoryKind.TABLES).allocate(bytes, CACHE_LINE));
  }

  private static MemorySegment addresses(Matrices matrices, SegmentAllocator memory) {
    MemorySegment addresses = memory.allocate(ValueLayout.ADDRESS, matrices.count());
    for (int i = 0; i < matrices.count(); i++) {
      addresses.setAtIndex(ValueLayout.ADDRESS, i, matrices.memory().get(i));
    }
    return addresses;
  }

  private static MemorySegment[] holds(Operands operands, MemorySegment workspace) {
    Map<MemorySegment.Scope, MemorySegment> found = new LinkedHashMap<>();
    List<MemorySegment> memory = new ArrayList<>(operands.memory());
    memory.add(workspace);
    for (MemorySegment each : memory) {
      if (!each.scope().equals(Arena.global().scope())) {
        found.putIfAbsent(each.scope(), each);
      }
    }
    if (found.size() > HOLDS) {
      throw new IllegalArgumentException(
          "the matrices lie in %s arenas, but at most %s can be used"
              .formatted(found.size(), HOLDS));
    }
    MemorySegment[] holds = new MemorySegment[HOLDS];
    Arrays.fill(holds, MemorySegment.NULL);
    int i = 0;
    for (MemorySegment each : found.values()) {
      holds[i++] = each;
    }
    return holds;
  }

  @Override
  public void multiply(float alpha, float beta, int threads) {
    operands.requireFactor(beta);
    panoptim_product.alpha(product, alpha);
    panoptim_product.beta(product, beta);
    int wanted = Math.min(threads, mostThreads) - 1;
    if (wanted <= 0) {
      lead();
    } else {
      share(wanted, isLong);
    }
  }

  @Override
  protected void begin(int helpers) {
    if (helpers > 0) {
      panoptim_product.sharing(product, PanoptimAbi.PANOPTIM_ANNOUNCED());
    }
  }

  /// Ends when all work is done.
  @Override
  protected void lead() {
    int status;
    try {
      status = (int) Function.MULTIPLY.invokeExact(product, holds[0], holds[1], holds[2], holds[3]);
    } catch (Throwable e) {
      throw Downcall.unchecked(e);
    }
    NativeProducts.require(product, status);
  }

  /// If the downcall failed before it began, because memory was closed, helpers still wait for it.
  @Override
  protected void end() {
    panoptim_product.sharing(product, PanoptimAbi.PANOPTIM_CLOSED());
  }

  @Override
  public void help() {
    PanoptimAbi.panoptim_help_multiply(product);
  }
}
