/// Internal: an example that trains a small language model, saves and resumes it, and compares the
/// bits of all backends. Run by `mvn -q -Pquickstart`.
package dev.panoptim.examples.quickstart;
