package dev.panoptim.djl;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import ai.djl.pytorch.jni.LibUtils;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// The functions of libtorch that tell where a tensor is. A handle is the address of an
/// `at::Tensor`, as DJL keeps it. An `at::Tensor` is one pointer to a `c10::TensorImpl`.
///
/// Thread-safe.
final class Libtorch {
  private static final FunctionDescriptor GETTER =
      FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS);

  /// All of this process's memory, to read pointers from. Without native access it cannot be made.
  private final MemorySegment memory = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private final MethodHandle getDataPtr;
  private final MethodHandle getDim;
  private final MethodHandle getSizes;
  private final MethodHandle getStrides;
  private final MethodHandle grad;

  /// @throws UnsupportedOperationException if a function is missing
  /// @throws IllegalCallerException if native access is denied
  Libtorch(SymbolLookup libraries) {
    Linker linker = Linker.nativeLinker();
    // The C functions of torch/csrc/inductor/aoti_torch/c/shim.h, which keep their ABI.
    getDataPtr = linker.downcallHandle(find(libraries, "aoti_torch_get_data_ptr"), GETTER);
    getDim = linker.downcallHandle(find(libraries, "aoti_torch_get_dim"), GETTER);
    getSizes = linker.downcallHandle(find(libraries, "aoti_torch_get_sizes"), GETTER);
    getStrides = linker.downcallHandle(find(libraries, "aoti_torch_get_strides"), GETTER);
    // at::Tensor const& c10::TensorImpl::grad() const: no C function gives the gradient.
    grad =
        linker.downcallHandle(
            find(libraries, "_ZNK3c1010TensorImpl4gradEv"),
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
  }

  /// Finds the functions in the libraries that DJL has loaded.
  ///
  /// @throws UnsupportedOperationException with the reason, if they cannot be called
  static Libtorch load() {
    try {
      Path folder = Path.of(LibUtils.getLibtorchPath());
      SymbolLookup torch = library(folder, "torch_cpu");
      SymbolLookup c10 = library(folder, "c10");
      return new Libtorch(torch.or(c10));
    } catch (IllegalCallerException | IllegalArgumentException | LinkageError e) {
      throw new UnsupportedOperationException(e.getMessage(), e);
    } catch (NullPointerException e) {
      throw new UnsupportedOperationException("DJL does not tell where libtorch is", e);
    }
  }

  /// The library that is already loaded: opening it once more gives the same one.
  private static SymbolLookup library(Path folder, String name) {
    return SymbolLookup.libraryLookup(folder.resolve(System.mapLibraryName(name)), Arena.global());
  }

  private static MemorySegment find(SymbolLookup libraries, String function) {
    return libraries
        .find(function)
        .orElseThrow(
            () -> new UnsupportedOperationException("libtorch has no function " + function));
  }

  /// The address of the first element.
  ///
  /// @param result 8 bytes for the result
  long dataPointer(long handle, MemorySegment result) {
    return get(getDataPtr, handle, result);
  }

  /// Whether the elements follow each other in row-major order, as `is_contiguous()` of PyTorch.
  boolean isContiguous(long handle, MemorySegment result) {
    long dimensions = get(getDim, handle, result);
    long sizes = get(getSizes, handle, result);
    long strides = get(getStrides, handle, result);
    long expected = 1;
    for (long i = dimensions - 1; i >= 0; i--) {
      long size = memory.get(JAVA_LONG, sizes + i * Long.BYTES);
      if (size != 1 && memory.get(JAVA_LONG, strides + i * Long.BYTES) != expected) {
        return false;
      }
      expected *= size;
    }
    return true;
  }

  /// The identity of the gradient of a tensor. It differs for each gradient that is alive, and all
  /// undefined gradients have one in common.
  long gradientIdentity(long handle) {
    try {
      return identity((long) grad.invokeExact(identity(handle)));
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /// The address of the implementation of a tensor.
  long identity(long handle) {
    return memory.get(JAVA_LONG, handle);
  }

  private static long get(MethodHandle getter, long handle, MemorySegment result) {
    int error;
    try {
      error = (int) getter.invokeExact(handle, result);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
    if (error != 0) {
      throw new IllegalStateException("libtorch reports an error for a tensor: see its output");
    }
    return result.get(JAVA_LONG, 0);
  }
}
