/// Internal: compares JavaCPP's PyTorch with Panoptim.
package dev.panoptim.examples.bridges.javacpp;
