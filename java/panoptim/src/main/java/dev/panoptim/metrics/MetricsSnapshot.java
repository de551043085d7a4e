package dev.panoptim.metrics;

import java.time.Duration;
import java.util.Optional;

/// The counts of [Metrics] at one moment. Each count is correct; while optimizers run, the counts
/// are not all read at the same instant.
///
/// Immutable and thread-safe.
///
/// @param steps calls of `Optimizer.step` that did not throw, over all optimizers, including
///   skipped steps
/// @param skippedSteps steps that changed nothing because a gradient was not finite. On a GPU, a
///   skipped step is counted when its result is read on the host: at the next step, or when its
///   report is read
/// @param timeInSteps the duration of all steps, summed over all stepping threads. For steps of
///   fewer than 16,384 elements it is an estimate: the first 257 steps of an optimizer are timed,
///   and after them one such step in 257, whose duration counts 257 times. On a GPU it is the time
///   until the step is enqueued
/// @param openOptimizers optimizers that have been built and neither closed nor garbage-collected
/// @param openedOptimizers optimizers that have been built
/// @param publications publications of parameters for readers
/// @param skippedPublications publications that were skipped because readers held all buffers
/// @param savedCheckpoints saved checkpoints
/// @param checkpointAge the time since the last save of a checkpoint to any folder; empty before
///   the first save
/// @param forgotten owners of memory that were garbage-collected without a close
/// @param forgottenBytes the bytes that these owners held
/// @param memory the memory that the library holds outside the Java heap
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
