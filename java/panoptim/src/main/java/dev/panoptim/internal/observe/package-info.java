/// Internal: counts and events of the library's activity. Steps write them without waiting;
/// `dev.panoptim.metrics` reads them.
package dev.panoptim.internal.observe;
