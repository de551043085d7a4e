/// Internal: tables of rows. Which rows a step changes, where they are, what they are at first; the
/// off-heap index of rows by id, and the counts of how often ids are seen.
package dev.panoptim.internal.table;
