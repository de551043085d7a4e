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

  private static final SymbolLookup LIBRARY =
      SymbolLookup.libraryLookup(
          Path.of(System.getProperty(PROPERTY)).toAbsolutePath(), Arena.global());

  private BenchLibrary() {}

  static MethodHandle find(String name, FunctionDescriptor type) {
    return Linker.nativeLinker().downcallHandle(LIBRARY.findOrThrow(name), type);
  }
}
