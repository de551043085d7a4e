/// Internal: an example that trains a small language model, saves and resumes it, and compares the
/// bits of all backends. Run by `mvn -q -Pquickstart`. `mvn -q -Plosses` draws the losses of all
/// optimizers.
package dev.panoptim.examples.quickstart;
