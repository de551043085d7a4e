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

/// Opens the file of a library for these classes. Other class loaders of the process can open the
/// same file, which `System.load` would refuse.
final class LibraryFile {
  /// What linkers say where a file may be read, but not executed.
  private static final List<String> NOT_EXECUTABLE =
      List.of("failed to map segment", "Operation not permitted", "Permission denied");

  private LibraryFile() {}

  /// @param name of the library, which its function that tells the ABI's version begins with
  /// @param lifetime how long it stays open
  /// @return its functions
  /// @throws UnsatisfiedLinkError if it cannot be opened, is some other library, or has another
  ///   version of the ABI; the message says which
  /// @throws IllegalCallerException if these classes may not call native code
  static SymbolLookup open(Path file, String name, Arena lifetime) {
    try (Arena trial = Arena.ofConfined()) {
      requireVersion(open(file, trial), name);
      // It is still open, so these are the functions of the very library that was asked.
      return SymbolLookup.libraryLookup(file.toAbsolutePath(), lifetime);
    } catch (IllegalArgumentException e) {
      throw new UnsatisfiedLinkError(e.getMessage());
    }
  }

  private static SymbolLookup open(Path file, Arena lifetime) {
    try {
      return SymbolLookup.libraryLookup(file.toAbsolutePath(), lifetime);
    } catch (IllegalArgumentException withoutReason) {
      // Fails too, in the linker's own words. If the file can be opened by now, it is, and what
      // this call has opened is closed with the class loader.
      System.load(file.toAbsolutePath().toString());
      return SymbolLookup.libraryLookup(file.toAbsolutePath(), lifetime);
    }
  }

  private static void requireVersion(SymbolLookup functions, String name) {
    String asked = name + "_abi_version";
    MemorySegment function =
        functions
            .find(asked)
            .orElseThrow(() -> new UnsatisfiedLinkError("it has no function " + asked));
    int version = call(function);
    if (version != PanoptimAbi.PANOPTIM_ABI_VERSION()) {
      throw new UnsatisfiedLinkError(
          "it has ABI version %s, but these classes need %s"
              .formatted(version, PanoptimAbi.PANOPTIM_ABI_VERSION()));
    }
  }

  private static int call(MemorySegment function) {
    try {
      return (int)
          Linker.nativeLinker()
              .downcallHandle(function, FunctionDescriptor.of(ValueLayout.JAVA_INT))
              .invokeExact();
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
    }
  }

  /// The likely reason for a failure that a linker does not tell in so many words.
  static Optional<String> likelyReason(UnsatisfiedLinkError failure) {
    return NOT_EXECUTABLE.stream().anyMatch(String.valueOf(failure.getMessage())::contains)
        ? Optional.of(
            "the likely reason is that its file system is mounted noexec, or that a policy of the"
                + " system forbids to execute it")
        : Optional.empty();
  }
}
