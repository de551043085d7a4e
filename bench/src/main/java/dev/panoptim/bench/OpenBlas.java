package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// Matrix products of OpenBLAS: of the file that the system property `panoptim.openblas` names, or
/// of JavaCPP, if the profile with other libraries is active.
final class OpenBlas {
  static final String PROPERTY = "panoptim.openblas";

  // CBLAS_LAYOUT, CBLAS_TRANSPOSE and CBLAS_UPLO.
  private static final int ROW_MAJOR = 101;
  private static final int NOT_TRANSPOSED = 111;
  private static final int UPPER = 121;

  private final MethodHandle multiply;
  private final MethodHandle multiplySymmetric;

  /// @param threads of each product
  OpenBlas(Path file, int threads) {
    SymbolLookup library = SymbolLookup.libraryLookup(file, Arena.global());
    multiply =
        function(
            library,
            "cblas_sgemm",
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_FLOAT,
            ADDRESS,
            JAVA_INT,
            ADDRESS,
            JAVA_INT,
            JAVA_FLOAT,
            ADDRESS,
            JAVA_INT);
    multiplySymmetric =
        function(
            library,
            "cblas_ssyrk",
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_FLOAT,
            ADDRESS,
            JAVA_INT,
            JAVA_FLOAT,
            ADDRESS,
            JAVA_INT);
    MethodHandle setThreads = function(library, "openblas_set_num_threads", JAVA_INT);
    Downcall.run(
        () -> {
          setThreads.invokeExact(threads);
          return null;
        });
  }

  private static MethodHandle function(
      SymbolLookup library, String name, MemoryLayout... arguments) {
    return Linker.nativeLinker()
        .downcallHandle(library.findOrThrow(name), FunctionDescriptor.ofVoid(arguments));
  }

  /// The library's file; `null` if there is none.
  static Path file() {
    String named = System.getProperty(PROPERTY, "");
    if (!named.isEmpty()) {
      return Path.of(named);
    }
    try {
      return (Path)
          Class.forName(OpenBlas.class.getPackageName() + ".peers.OpenBlasFile")
              .getMethod("path")
              .invoke(null);
    } catch (ClassNotFoundException e) {
      return null;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("JavaCPP's OpenBLAS cannot be loaded", e);
    }
  }

  /// output = left * right
  void multiply(
      int rows,
      int columns,
      int depth,
      MemorySegment left,
      MemorySegment right,
      MemorySegment output) {
    Downcall.run(
        () -> {
          multiply.invokeExact(
              ROW_MAJOR,
              NOT_TRANSPOSED,
              NOT_TRANSPOSED,
              rows,
              columns,
              depth,
              1f,
              left,
              depth,
              right,
              columns,
              0f,
              output,
              columns);
          return null;
        });
  }

  /// The elements on the diagonal of output = left * left', and right of it.
  void multiplySymmetric(int rows, int depth, MemorySegment left, MemorySegment output) {
    Downcall.run(
        () -> {
          multiplySymmetric.invokeExact(
              ROW_MAJOR, UPPER, NOT_TRANSPOSED, rows, depth, 1f, left, depth, 0f, output, rows);
          return null;
        });
  }
}
