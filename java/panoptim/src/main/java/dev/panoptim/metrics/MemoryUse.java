package dev.panoptim.metrics;

/// The bytes of memory that the library holds outside the Java heap.
///
/// Memory of the user that was wrapped in parameters or gradients is not included. Memory whose
/// owner was never closed is included until the garbage collector finds it.
///
/// Immutable and thread-safe.
///
/// @param parameters data of [dev.panoptim.memory.Parameters]
/// @param gradients gradients of [dev.panoptim.memory.Parameters]
/// @param states states and averages of optimizers
/// @param halfPrecisionCopies 16-bit copies of parameters
/// @param publications buffers from which other threads read parameters
/// @param tables internal tables, sums and transfer buffers
/// @param copies state dicts, and copies for checkpoints that are saved in the background
/// @param total the sum of all components above
/// @param limit the limit of the total (system property `panoptim.memory.limit`); [Long#MAX_VALUE]
///   if there is no limit
/// @param mapped mapped bytes of shared files; not limited
/// @param onDevices bytes of GPU memory; not limited
public record MemoryUse(
    long parameters,
    long gradients,
    long states,
    long halfPrecisionCopies,
    long publications,
    long tables,
    long copies,
    long total,
    long limit,
    long mapped,
    long onDevices) {}
