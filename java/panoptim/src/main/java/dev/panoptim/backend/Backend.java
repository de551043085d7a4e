package dev.panoptim.backend;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.internal.step.Engine;

/// The implementation of steps: native code, Java's Vector API, plain Java, or a GPU. All backends
/// compute the same bits; they differ in speed and in their requirements.
///
/// Obtained from [Backends]. Thread-safe: any number of optimizers may use one backend at the same
/// time.
public sealed interface Backend permits Engine {
  /// The largest number of threads that a step may use.
  int MOST_THREADS = 1024;

  /// `native`, `vector`, `scalar`, `cuda` or `offload`.
  String name();

  /// A description of the hardware and instructions that this backend uses.
  String describe();

  /// The threads that help with steps: [Threading#POOL], except for a native backend with OpenMP.
  /// Even then, single steps may use the pool: see [Threading#OPENMP].
  Threading threading();

  /// This backend with other helper threads; this backend itself if it supports only one kind.
  ///
  /// If OpenMP is unavailable, the pool is used instead, and the reason is logged once: see
  /// [Threading#unavailableReason()].
  Backend with(Threading other);

  /// The device whose parameters and gradients this backend uses.
  Device device();

  /// The device whose memory holds the states.
  Device stateDevice();

  /// Waits until all earlier steps are done. On the CPU, a step is done when it returns.
  ///
  /// @throws CudaException if something failed on the GPU
  void await();
}
