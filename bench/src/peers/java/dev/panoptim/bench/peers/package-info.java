/// Internal: other libraries (libtorch through JavaCPP, DJL, ND4J) behind one interface, each in a
/// separate process. Compiled only with `-Pbench-peers`.
package dev.panoptim.bench.peers;
