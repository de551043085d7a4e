/// Internal: an example that draws every learning-rate schedule. Run by `mvn -q -Pschedules`.
package dev.panoptim.examples.schedules;
