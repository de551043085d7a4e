package dev.panoptim.internal.matrix;

import dev.panoptim.backend.Backends;
import dev.panoptim.internal.jvm.VectorBackend;
import java.util.ArrayList;
import java.util.List;

/// The implementations of [Products] that this processor supports. The specification is the first.
final class EveryProducts {
  static final List<Products> ALL = all();

  private EveryProducts() {}

  private static List<Products> all() {
    List<Products> all = new ArrayList<>();
    all.add(ScalarProducts.INSTANCE);
    Backends.tiers().forEach(tier -> all.add(new NativeProducts(tier)));
    if (VectorBackend.whyNot() == null) {
      all.add(new VectorProducts());
    }
    return List.copyOf(all);
  }
}
