/// Internal: compares Deeplearning4j with Panoptim.
package dev.panoptim.examples.bridges.dl4j;
