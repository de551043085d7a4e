package dev.panoptim.metrics;

/// The bytes of memory that the library holds outside of Java's heap.
///
/// Memory that a user allocated, and made parameters or gradients of, is not among them. What was
/// forgotten to be closed is, until the garbage collector has found it.
///
/// Immutable.
///
/// @param parameters data of [dev.panoptim.memory.Parameters]
/// @param gradients gradients of [dev.panoptim.memory.Parameters]
/// @param states states and averages of optimizers
/// @param halfPrecisionCopies copies of parameters in 16 bits
/// @param publications buffers from which other threads read parameters
/// @param tables what the library needs for itself: tables, sums, buffers for transfers
/// @param copies state dicts, and checkpoints that are being saved in the background
/// @param total the sum of those before
/// @param limit what the sum may not exceed, see the system property `panoptim.memory.limit`;
///   [Long#MAX_VALUE] if there is no limit
/// @param mapped bytes of shared files that are mapped; not limited
/// @param onDevices bytes on GPUs; not limited
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
