package dev.panoptim.internal.matrix;

import dev.panoptim.internal.memory.Workspaces;
import dev.panoptim.internal.parallel.ThreadProperties;
import java.lang.foreign.MemorySegment;

/// Matrix products on Java's Vector API, whose module `jdk.incubator.vector` must be in the module
/// graph.
///
/// Thread-safe.
public final class VectorProducts implements Products {
  public VectorProducts() {}

  @Override
  public String name() {
    return "vector";
  }

  @Override
  public long workspaceBytes(ProductShape shape, int threads) {
    return ThreadProperties.requireThreads(threads) * VectorProduct.BYTES_OF_THREAD;
  }

  @Override
  public Product prepare(Operands operands, MemorySegment workspace, int threads) {
    Workspaces.require(workspace, workspaceBytes(operands.shape(), threads));
    return new VectorProduct(operands, workspace, threads);
  }
}
