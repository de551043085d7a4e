/// Internal: an example that trains a classifier in two JVMs at once, which share parameters and
/// states in mapped files. Run by `mvn -q -Phogwild`.
package dev.panoptim.examples.hogwild;
