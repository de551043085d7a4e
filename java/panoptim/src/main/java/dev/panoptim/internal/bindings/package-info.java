/// Internal: access to native code. The bindings that jextract generates from
/// `native/include/panoptim.h` are in `src/generated/java`; the classes here find, extract and load
/// the libraries. The downcalls are made in `internal.ffm`, `internal.cuda` and
/// `dev.panoptim.device`.
package dev.panoptim.internal.bindings;
