/// Internal: compares the training of a library with its own optimizer and with Panoptim's. It has
/// the data, the models, the measurement and the report; each library has a package below.
package dev.panoptim.examples.bridges;
