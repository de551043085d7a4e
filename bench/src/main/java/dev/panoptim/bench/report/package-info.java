/// Internal: makes the report of measurements: an HTML page, `docs/benchmarks.md`, and the figures
/// of the README. Measures nothing itself.
package dev.panoptim.bench.report;
