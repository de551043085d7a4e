/// Internal: the events of the flight recorder. They are loaded only if the module `jdk.jfr` is
/// there; the rest of the library sends them through `internal.observe.Events`.
package dev.panoptim.internal.jfr;
