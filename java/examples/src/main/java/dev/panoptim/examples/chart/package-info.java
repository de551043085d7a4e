/// Internal: what the examples that draw have in common: axes, colours and pictures.
package dev.panoptim.examples.chart;
