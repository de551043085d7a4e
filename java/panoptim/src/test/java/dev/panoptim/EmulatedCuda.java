package dev.panoptim;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panoptim.device.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/// The functions for tests of the emulated CUDA library, which the process must have loaded.
public final class EmulatedCuda {
  /// The error after an access of a kernel to an illegal address.
  public static final int ILLEGAL_ADDRESS = 700;

  private EmulatedCuda() {}

  /// Skips a test on hardware.
  public static void need() {
    GpuTests.need(1);
    assumeTrue(isThere(), "the GPU is not emulated");
  }

  private static boolean isThere() {
    return Device.cudaCount() > 0 && find("emulated_fail").isPresent();
  }

  /// After some more calls of CUDA, the next call and all later calls fail.
  ///
  /// @param calls the number of calls that still succeed
  /// @param error the number of the error
  public static void failAfter(long calls, int error) {
    call("emulated_fail", calls, error);
  }

  /// Calls of CUDA succeed again. No effect where no GPU is emulated, so that a skipped test can
  /// call this method at its end.
  public static void succeed() {
    if (isThere()) {
      call("emulated_fail", 0, 0);
    }
  }

  /// The queries about addresses so far.
  public static long queries() {
    return count("emulated_queries");
  }

  /// The bytes that were copied from the host to GPUs so far.
  public static long bytesUp() {
    return count("emulated_bytes_up");
  }

  /// The bytes that were copied from GPUs to the host so far.
  public static long bytesDown() {
    return count("emulated_bytes_down");
  }

  private static long count(String name) {
    try {
      return (long) function(name, FunctionDescriptor.of(ValueLayout.JAVA_LONG)).invokeExact();
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static void call(String name, long number, int error) {
    FunctionDescriptor type =
        FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT);
    try {
      function(name, type).invokeExact(number, error);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static MethodHandle function(String name, FunctionDescriptor type) {
    return Linker.nativeLinker().downcallHandle(find(name).orElseThrow(), type);
  }

  /// A function of the library that the system property names; a GPU is emulated only by such a
  /// library.
  private static Optional<MemorySegment> find(String name) {
    String library = System.getProperty("panoptim.cuda.library", "");
    return library.isEmpty()
        ? Optional.empty()
        : SymbolLookup.libraryLookup(Path.of(library), Arena.global()).find(name);
  }
}
