/// Internal: the common code of the examples' command lines, such as an orderly end at Ctrl-C.
package dev.panoptim.examples.console;
