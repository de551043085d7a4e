/// Internal: the common code of the examples that draw charts: axes, colours and picture files.
package dev.panoptim.examples.chart;
