/// Internal: file locks between processes and class loaders, and file access that survives
/// interrupts.
package dev.panoptim.internal.io;
