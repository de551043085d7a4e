/// Internal: threads that simulate what users do.
package dev.panoptim.server.simulation;
