/// Internal: what the examples share on the command line, such as an orderly end at Ctrl-C.
package dev.panoptim.examples.console;
