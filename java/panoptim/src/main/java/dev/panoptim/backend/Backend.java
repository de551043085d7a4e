package dev.panoptim.backend;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.internal.step.Engine;

/// What carries out steps: native code, Java's Vector API, plain Java, or a GPU. All backends reach
/// the same bits; they differ in speed and in what they need.
///
/// [Backends] hands them out. Thread-safe: one backend serves any number of optimizers at the same
/// time.
public sealed interface Backend permits Engine {
  /// The most threads that a step may be asked to take.
  int MOST_THREADS = 1024;

  /// `native`, `vector`, `scalar`, `cuda` or `offload`.
  String name();

  /// What this backend runs on, in words.
  String describe();

  /// Whose threads help with steps: [Threading#POOL] for all but the native backend, and for that
  /// one wherever OpenMP cannot be had. Single steps may use the pool all the same: see
  /// [Threading#OPENMP].
  Threading threading();

  /// This backend with another choice of threads, or this one itself where it has no choice.
  ///
  /// Where OpenMP cannot be had, the pool is used instead, and the reason is logged once: see
  /// [Threading#unavailableReason()].
  Backend with(Threading other);

  /// Where the parameters and gradients lie that this backend works on.
  Device device();

  /// Where the states lie that this backend works on.
  Device stateDevice();

  /// Waits until all steps that were asked for before are done. On the CPU they are when they
  /// return.
  ///
  /// @throws CudaException if something failed on the GPU
  void await();
}
