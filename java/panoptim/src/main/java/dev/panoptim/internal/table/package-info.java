/// Internal: the off-heap index of a table of rows by id, and the counts of how often ids are seen.
/// One thread changes them; any thread looks up ids in the index.
package dev.panoptim.internal.table;
