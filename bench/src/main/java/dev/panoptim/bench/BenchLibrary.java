package dev.panoptim.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// The native code that steps are compared with; no part of Panoptim.
final class BenchLibrary {
  /// Names the library; the build sets it.
  static final String PROPERTY = "panoptim.bench";

  private static final Path FILE = Path.of(System.getProperty(PROPERTY)).toAbsolutePath();

  private static final SymbolLookup LIBRARY = SymbolLookup.libraryLookup(FILE, Arena.global());

  private BenchLibrary() {}

  static MethodHandle find(String name, FunctionDescriptor type, Linker.Option... options) {
    return Linker.nativeLinker().downcallHandle(LIBRARY.findOrThrow(name), type, options);
  }

  /// Lets `native` methods of the benchmarks find their functions there.
  static void loadForJni() {
    System.load(FILE.toString());
  }
}
