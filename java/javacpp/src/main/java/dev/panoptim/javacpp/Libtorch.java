package dev.panoptim.javacpp;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.NoSuchElementException;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;

/// Functions of libtorch's C interface that read tensors, called through the FFM API. A call takes
/// about a tenth of the time of a call through JNI and JavaCPP.
///
/// Each function takes the address of a C++ object of class `at::Tensor` and a place for the
/// result, and returns 0, or something else if it has caught a C++ exception. See
/// `AtenTensorHandle` in
/// [shim.h](https://github.com/pytorch/pytorch/blob/v2.10.0/torch/csrc/inductor/aoti_torch/c/shim.h).
///
/// Thread-safe.
final class Libtorch {
  /// What [#call] returns unless libtorch has caught an exception.
  static final int DONE = 0;

  private static final String PREFIX = "aoti_torch_get_";

  /// The reason why the functions cannot be called; `null` if they can.
  static final String WHY_NOT;

  static final MethodHandle DATA;
  static final MethodHandle ELEMENT_TYPE;
  static final MethodHandle DEVICE_TYPE;
  static final MethodHandle DEVICE_INDEX;
  static final MethodHandle DIMENSIONS;
  static final MethodHandle SIZES;
  static final MethodHandle STRIDES;

  /// `null` before libtorch 2.9 or so. The other functions fail too if a tensor is sparse, but
  /// first print the exception.
  static final MethodHandle LAYOUT;

  static {
    MethodHandle[] found = new MethodHandle[8];
    String whyNot = null;
    try {
      SymbolLookup library = library();
      found =
          new MethodHandle[] {
            function(library, "data_ptr"),
            function(library, "dtype"),
            function(library, "device_type"),
            function(library, "device_index"),
            function(library, "dim"),
            function(library, "sizes"),
            function(library, "strides"),
            library.find(PREFIX + "layout").isPresent() ? function(library, "layout") : null
          };
    } catch (NoSuchElementException | IllegalArgumentException | IllegalCallerException e) {
      whyNot = e.getMessage();
    }
    WHY_NOT = whyNot;
    DATA = found[0];
    ELEMENT_TYPE = found[1];
    DEVICE_TYPE = found[2];
    DEVICE_INDEX = found[3];
    DIMENSIONS = found[4];
    SIZES = found[5];
    STRIDES = found[6];
    LAYOUT = found[7];
  }

  private Libtorch() {}

  /// JavaCPP's own library depends on libtorch, so its look-up finds libtorch's functions.
  private static SymbolLookup library() {
    return SymbolLookup.libraryLookup(Path.of(Loader.load(torch.class)), Arena.global());
  }

  private static MethodHandle function(SymbolLookup library, String name) {
    return Linker.nativeLinker()
        .downcallHandle(
            library.findOrThrow(PREFIX + name),
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS),
            // The functions only read a few fields.
            Linker.Option.critical(false));
  }

  /// @param function one of the constants of this class
  /// @param tensor the address of an `at::Tensor`
  /// @param result 8 bytes
  static int call(MethodHandle function, long tensor, MemorySegment result) {
    try {
      return (int) function.invokeExact(tensor, result);
    } catch (Throwable e) {
      throw new AssertionError("a call of libtorch cannot throw", e);
    }
  }
}
