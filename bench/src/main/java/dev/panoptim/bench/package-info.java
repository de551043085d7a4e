/// Internal: JMH benchmarks of Panoptim and of other libraries, and the programs that run them.
/// Tables and charts are made in `dev.panoptim.bench.report`. Run by `mvn -q -Pbench`.
package dev.panoptim.bench;
