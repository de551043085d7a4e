/// Internal: which rows of a table a step changes, where they are, and what they are at first.
package dev.panoptim.internal.table;
