package dev.panoptim.metrics;

import java.time.Duration;
import java.util.Optional;

/// What [Metrics] knew at one moment. Each number is right by itself; while optimizers work, they
/// are not all of the same instant.
///
/// Immutable.
///
/// @param steps calls of `Optimizer.step` that did not throw, by all optimizers; those that were
///   skipped are among them
/// @param skippedSteps steps that changed nothing, for a gradient was not finite; on a graphics GPU
///   they are counted when the host learns of it: at the next step, or when it is asked
/// @param timeInSteps the time that steps took, summed over all threads that make them. Of
///   optimizers with less than 16,384 elements it is an estimate: the first 256 steps are timed,
///   and then one in 256, which counts for as many. On a GPU it is the time until the GPU has been
///   told
/// @param openOptimizers optimizers that have been built and neither been closed nor forgotten
/// @param openedOptimizers optimizers that have been built
/// @param publications how often parameters have been published for readers
/// @param skippedPublications how often that was left out, for readers held all buffers
/// @param savedCheckpoints checkpoints that have been saved
/// @param checkpointAge since the last checkpoint was saved, into whatever folder; empty if none
///   was
/// @param forgotten allocations that were never closed and have been found by the garbage collector
/// @param forgottenBytes the bytes that they held
/// @param memory what is held outside of Java's heap
public record MetricsSnapshot(
    long steps,
    long skippedSteps,
    Duration timeInSteps,
    long openOptimizers,
    long openedOptimizers,
    long publications,
    long skippedPublications,
    long savedCheckpoints,
    Optional<Duration> checkpointAge,
    long forgotten,
    long forgottenBytes,
    MemoryUse memory) {}
