/// Internal: an inference server that learns, with a page to watch it.
package dev.panoptim.server;
