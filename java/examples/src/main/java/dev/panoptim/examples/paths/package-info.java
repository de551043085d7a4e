/// Internal: an example that draws the paths of optimizers over two surfaces. Run by `mvn -q
/// -Ppaths`.
package dev.panoptim.examples.paths;
