package dev.panoptim.device;

/// CUDA is unavailable, or has reported an error. The message contains CUDA's own message.
///
/// An error of a kernel, for example an access to an illegal address, ends CUDA's work in this
/// process. From then on, each method that calls CUDA throws this exception with the same error,
/// and work that has been enqueued is lost. `close()` of optimizers, parameters and streams throws
/// it too, but has then released all memory of the host and has given back the memory budget; a
/// second `close()` has no effect. Only a new process can use the GPU again. Memory of the GPU, and
/// host memory that was pinned, is freed when the process ends.
///
/// After other errors, for example too little memory, CUDA can still be used.
///
/// Immutable, except for what every exception has (stack trace, suppressed exceptions).
public final class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public CudaException(String message) {
    super(message);
  }
}
