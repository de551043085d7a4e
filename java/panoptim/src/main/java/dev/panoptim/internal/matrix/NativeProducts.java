package dev.panoptim.internal.matrix;

import dev.panoptim.backend.Tier;
import dev.panoptim.internal.bindings.Downcall;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.bindings.panoptim_product;
import dev.panoptim.internal.parallel.ThreadProperties;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Matrix products in C++, in one tier. The native library must be loaded, and the tier available.
///
/// Thread-safe.
public final class NativeProducts implements Products {
  private final Tier tier;

  public NativeProducts(Tier tier) {
    this.tier = tier;
  }

  @Override
  public String name() {
    return "native " + tier.label();
  }

  @Override
  public long workspaceBytes(ProductShape shape, int threads) {
    try (Arena arena = Arena.ofConfined()) {
      return fill(panoptim_product.allocate(arena), shape, threads);
    }
  }

  @Override
  public Product prepare(Operands operands, MemorySegment workspace, int threads) {
    return new NativeProduct(this, operands, workspace, threads);
  }

  /// Writes the shape, with the strides of matrices without gaps.
  ///
  /// @return the bytes of the workspace, which do not depend on the strides
  long fill(MemorySegment product, ProductShape shape, int threads) {
    panoptim_product.count(product, shape.count());
    panoptim_product.rows(product, shape.rows());
    panoptim_product.columns(product, shape.columns());
    panoptim_product.depth(product, shape.depth());
    panoptim_product.left_stride(product, shape.depth());
    panoptim_product.right_stride(product, shape.columns());
    panoptim_product.added_stride(product, shape.columns());
    panoptim_product.output_stride(product, shape.columns());
    panoptim_product.form(
        product,
        shape.symmetric()
            ? PanoptimAbi.PANOPTIM_PRODUCT_SYMMETRIC()
            : PanoptimAbi.PANOPTIM_PRODUCT_GENERAL());
    panoptim_product.tier(product, tier.ordinal());
    panoptim_product.threads(product, ThreadProperties.requireThreads(threads));
    require(product, PanoptimAbi.panoptim_multiply_workspace(product));
    return panoptim_product.workspace_bytes(product);
  }

  /// @throws IllegalStateException if a status is not that of success
  static void require(MemorySegment product, int status) {
    if (status != PanoptimAbi.PANOPTIM_OK()) {
      throw Downcall.failed(
          "the native matrix product", status, panoptim_product.error(product).getString(0));
    }
  }
}
