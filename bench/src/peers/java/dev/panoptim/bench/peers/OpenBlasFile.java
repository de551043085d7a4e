package dev.panoptim.bench.peers;

import java.nio.file.Path;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

/// OpenBLAS, as JavaCPP distributes it. `OpenBlas` finds this class by its name, because it is
/// compiled with a profile of the build only.
public final class OpenBlasFile {
  private OpenBlasFile() {}

  /// The shared library. JavaCPP extracts it beside its own one.
  public static Path path() {
    return Path.of(Loader.load(openblas_nolapack.class))
        .resolveSibling(System.mapLibraryName("openblas_nolapack") + ".0");
  }
}
