/// Internal: the backends in Java. [ScalarBackend][dev.panoptim.internal.jvm.ScalarBackend] is the
/// readable specification that tests compare all others with; its formulas are in `ScalarUpdate`.
/// [VectorBackend][dev.panoptim.internal.jvm.VectorBackend] uses the Vector API. Threads share
/// chunks through [ParallelChunks][dev.panoptim.internal.jvm.ParallelChunks].
package dev.panoptim.internal.jvm;
