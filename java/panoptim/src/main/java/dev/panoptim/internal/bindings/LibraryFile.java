package dev.panoptim.internal.bindings;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Opens a native library for the classes of this class loader. Other class loaders can open the
/// same file, which `System.load` would not allow.
///
/// Thread-safe.
final class LibraryFile {
  /// Messages of dynamic linkers for a file that may be read but not executed.
  private static final List<String> NOT_EXECUTABLE =
      List.of("failed to map segment", "Operation not permitted", "Permission denied");

  private LibraryFile() {}

  /// Opens a library and checks the version of its ABI.
  ///
  /// @param name the name of the library, which is the prefix of its version function
  /// @param lifetime the lifetime of the open library
  /// @return the functions of the library
  /// @throws UnsatisfiedLinkError if the file cannot be opened, is a different library, or has
  ///   another ABI version; the message gives the reason
  /// @throws IllegalCallerException if this module may not call native code
  static SymbolLookup open(Path file, String name, Arena lifetime) {
    try (Arena trial = Arena.ofConfined()) {
      requireVersion(open(file, trial), name);
      // The trial keeps the file open, so the second call returns the functions of the same
      // library.
      return SymbolLookup.libraryLookup(file.toAbsolutePath(), lifetime);
    } catch (IllegalArgumentException e) {
      throw new UnsatisfiedLinkError(e.getMessage());
    }
  }

  private static SymbolLookup open(Path file, Arena lifetime) {
    try {
      return SymbolLookup.libraryLookup(file.toAbsolutePath(), lifetime);
    } catch (IllegalArgumentException withoutReason) {
      // System.load fails with the linker's own message, which libraryLookup does not give. If it
      // succeeds this time, the library is used; the handle of System.load is closed with the class
      // loader.
      System.load(file.toAbsolutePath().toString());
      return SymbolLookup.libraryLookup(file.toAbsolutePath(), lifetime);
    }
  }

  private static void requireVersion(SymbolLookup functions, String name) {
    String asked = name + "_abi_version";
    MemorySegment function =
        functions
            .find(asked)
            .orElseThrow(() -> new UnsatisfiedLinkError("the library has no function " + asked));
    int version = call(function);
    if (version != PanoptimAbi.PANOPTIM_ABI_VERSION()) {
      throw new UnsatisfiedLinkError(
          "the library has ABI version %s, but this version of Panoptim needs %s"
              .formatted(version, PanoptimAbi.PANOPTIM_ABI_VERSION()));
    }
  }

  private static int call(MemorySegment function) {
    try {
      return (int)
          Linker.nativeLinker()
              .downcallHandle(function, FunctionDescriptor.of(ValueLayout.JAVA_INT))
              .invokeExact();
    } catch (Throwable e) {
      throw Downcall.unchecked(e);
    }
  }

  /// Guesses the reason for a linker's failure from its message.
  static Optional<String> likelyReason(UnsatisfiedLinkError failure) {
    return NOT_EXECUTABLE.stream().anyMatch(String.valueOf(failure.getMessage())::contains)
        ? Optional.of(
            "the likely reason is that its file system is mounted noexec, or that a policy of the"
                + " system forbids its execution")
        : Optional.empty();
  }
}
