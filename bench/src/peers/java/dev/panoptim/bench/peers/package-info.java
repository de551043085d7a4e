/// Internal: other libraries (libtorch through JavaCPP, DJL, ND4J) behind one interface, each in a
/// separate process; and the place of JavaCPP's OpenBLAS. Compiled only with `-Pbench-peers`.
package dev.panoptim.bench.peers;
