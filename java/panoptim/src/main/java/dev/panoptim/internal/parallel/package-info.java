/// Internal: the pool of helper threads, how long they watch for work, and how work is divided into
/// shares. This package does not depend on the computation.
package dev.panoptim.internal.parallel;
