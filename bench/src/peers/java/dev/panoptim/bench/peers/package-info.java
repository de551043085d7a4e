/// Internal: other libraries (libtorch through JavaCPP, DJL, ND4J) behind one interface, each in a
/// process of its own. Compiled only with `-Pbench-peers`.
package dev.panoptim.bench.peers;
