/// Internal: a load on the server from this machine, with and without learning.
package dev.panoptim.server.load;
