package dev.panoptim.bench.report;

/// Makes one chapter of the report from the results of one or more benchmarks.
@FunctionalInterface
interface Section {
  /// Without tables if its benchmarks have not been run; the report then leaves the chapter out.
  Document.Chapter chapter(Results results);
}
