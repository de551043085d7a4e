/// Internal: an example that measures the latency of a server whose model learns while it answers.
/// Run by `mvn -q -Pserving`.
package dev.panoptim.examples.serving;
