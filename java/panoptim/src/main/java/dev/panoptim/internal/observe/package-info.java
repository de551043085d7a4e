/// Internal: counts and events of what the library does. Steps write them without waiting;
/// `dev.panoptim.metrics` reads them.
package dev.panoptim.internal.observe;
