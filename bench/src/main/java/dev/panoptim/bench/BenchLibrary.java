package dev.panoptim.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// The native code with which steps are compared. It is not part of Panoptim.
final class BenchLibrary {
  /// The system property with the file of the library. The build sets it.
  static final String PROPERTY = "panoptim.bench";

  private static final Path FILE = Path.of(System.getProperty(PROPERTY)).toAbsolutePath();

  private static final SymbolLookup LIBRARY = SymbolLookup.libraryLookup(FILE, Arena.global());

  private BenchLibrary() {}

  static MethodHandle find(String name, FunctionDescriptor type, Linker.Option... options) {
    return Linker.nativeLinker().downcallHandle(LIBRARY.findOrThrow(name), type, options);
  }

  /// Loads the library for the `native` methods of the benchmarks.
  static void loadForJni() {
    System.load(FILE.toString());
  }
}
