/// Internal: the pool of helper threads, how long they watch for work, and how work is cut into
/// shares. What the threads compute is not known here.
package dev.panoptim.internal.parallel;
