package dev.panoptim.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// The native kernel that moves the bytes of an AdamW step and computes nothing: the limit of what
/// a step can reach.
final class Traffic {
  /// Names the library; the build sets it.
  static final String PROPERTY = "panoptim.traffic";

  private static final MethodHandle MOVE =
      Linker.nativeLinker()
          .downcallHandle(
              SymbolLookup.libraryLookup(
                      Path.of(System.getProperty(PROPERTY)).toAbsolutePath(), Arena.global())
                  .findOrThrow("panoptim_traffic"),
              FunctionDescriptor.ofVoid(
                  ValueLayout.ADDRESS,
                  ValueLayout.ADDRESS,
                  ValueLayout.ADDRESS,
                  ValueLayout.ADDRESS,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_INT));

  private Traffic() {}

  /// Reads all streams and writes all but the gradient's.
  static void move(
      MemorySegment data,
      MemorySegment gradient,
      MemorySegment first,
      MemorySegment second,
      int threads) {
    try {
      MOVE.invokeExact(data, gradient, first, second, data.byteSize() / Float.BYTES, threads);
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
    }
  }
}
