/// Internal: the backends in Java. [ScalarBackend][dev.panoptim.internal.jvm.ScalarBackend] is the
/// readable specification that all others are compared with; the other uses the Vector API. Chunks
/// are shared between threads by `internal.step.ParallelChunks`.
package dev.panoptim.internal.jvm;
