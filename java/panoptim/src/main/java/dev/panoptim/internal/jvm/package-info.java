/// Internal: the backends in Java. [ScalarBackend][dev.panoptim.internal.jvm.ScalarBackend] is the
/// readable specification that all others are compared with; the other uses the Vector API. Threads
/// share chunks through [ParallelChunks][dev.panoptim.internal.jvm.ParallelChunks].
package dev.panoptim.internal.jvm;
