/// Internal: compares trainings in DJL, with its own Adam and with Panoptim's.
package dev.panoptim.examples.bridges.djl;
