/// Internal: handwritten digits: drawings and their generator, the network, and the thread that
/// learns.
package dev.panoptim.server.digits;
