package dev.panoptim.bench;

import java.util.Arrays;
import java.util.List;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;

/// Benchmarks of other libraries, and of the machine's memory bandwidth.
final class PeerSuite {
  private final Suite suite;

  PeerSuite(Suite suite) {
    this.suite = suite;
  }

  void run() throws RunnerException {
    suite.run(
        suite
            .pairs(BandwidthBenchmark.class, 10)
            .param("optimizer", BenchedOptimizer.ADAMW.name()));
    suite.run(
        suite
            .pairs(EpilogueBenchmark.class, suite.quick() ? 5 : 10)
            .param(
                "against",
                Peer.PYTORCH.available()
                    ? new String[] {EpilogueBenchmark.PASSES, EpilogueBenchmark.PYTORCH}
                    : new String[] {EpilogueBenchmark.PASSES}));
    new RowSuite(suite).runPeers();
    for (Peer peer : Peer.values()) {
      if (peer.available()) {
        run(peer);
      }
    }
  }

  private void run(Peer peer) throws RunnerException {
    List<BenchedOptimizer> optimizers =
        Arrays.stream(BenchedOptimizer.values()).filter(peer::has).toList();
    suite.run(
        pairs(peer, suite.quick() ? List.of(peer.mainOptimizer()) : optimizers)
            .param("tensors", "1x" + OwnSuite.LARGE)
            .param("peerThreads", "2"));
    suite.run(
        pairs(peer, List.of(peer.mainOptimizer()))
            .param("tensors", "5000x1000", "1000x256", "1x256")
            .param("peerThreads", suite.quick() ? new String[] {"2"} : new String[] {"1", "2"}));
  }

  private ChainedOptionsBuilder pairs(Peer peer, List<BenchedOptimizer> optimizers) {
    return suite
        .pairs(PeerBenchmark.class, suite.quick() ? 5 : 7)
        .param("peer", peer.name())
        .param("optimizer", Suite.names(optimizers.stream()));
  }
}
