package dev.panoptim.bench;

import java.util.Arrays;
import java.util.Locale;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;

/// Benchmarks of tables of rows.
final class RowSuite {
  private static final long LARGE = 10_000_000;
  private static final long SMALL = 1_000_000;

  private final Suite suite;

  RowSuite(Suite suite) {
    this.suite = suite;
  }

  void run() throws RunnerException {
    for (BenchedRows each : BenchedRows.values()) {
      if (!suite.quick() || each == BenchedRows.ADAGRAD) {
        runSteps(each);
      }
    }
    runReads();
    suite.run(suite.pairs(IdGrowthBenchmark.class, suite.quick() ? 1 : 2).param("ids", growth()));
  }

  private void runSteps(BenchedRows optimizer) throws RunnerException {
    long rows = suite.quick() ? SMALL : LARGE;
    long needed = RowsBenchmark.memory(optimizer, rows);
    if (!fits(RowsBenchmark.class.getSimpleName() + " of " + optimizer.label(), needed)) {
      return;
    }
    ChainedOptionsBuilder options =
        suite
            .pairs(RowsBenchmark.class, suite.quick() ? 5 : 10)
            .param("optimizer", optimizer.name())
            .param("rows", Long.toString(rows));
    if (optimizer != BenchedRows.ADAGRAD) {
      options.param("table", RowTraining.ROWS);
    }
    suite.run(options);
  }

  private void runReads() throws RunnerException {
    for (long ids : suite.quick() ? new long[] {SMALL} : new long[] {SMALL, LARGE}) {
      long needed = RowsBenchmark.memory(BenchedRows.ADAGRAD, ids) / 2;
      if (fits(IdReadBenchmark.class.getSimpleName() + " of " + ids + " ids", needed)) {
        suite.run(
            suite
                .pairs(IdReadBenchmark.class, suite.quick() ? 3 : 5)
                .param("ids", Long.toString(ids)));
      }
    }
  }

  private String growth() {
    return Long.toString(suite.quick() ? SMALL : LARGE / 2);
  }

  /// Steps of other implementations.
  void runPeers() throws RunnerException {
    for (RowPeer peer : RowPeer.values()) {
      if (peer.available()) {
        suite.run(
            suite
                .pairs(RowPeerBenchmark.class, suite.quick() ? 4 : 7)
                .param("peer", peer.name())
                .param(
                    "optimizer",
                    Arrays.stream(new BenchedRows[] {BenchedRows.ADAGRAD, BenchedRows.ADAM})
                        .filter(peer::has)
                        .map(BenchedRows::name)
                        .toArray(String[]::new))
                .param(
                    "threads", peer.hasThreads() ? new String[] {"1", "2"} : new String[] {"1"}));
      }
    }
  }

  private static boolean fits(String what, long needed) {
    long available = AvailableMemory.bytes();
    if (available >= needed) {
      return true;
    }
    System.out.printf(
        Locale.ROOT,
        "         %s is left out: it needs %.1f GiB of memory, and %.1f are available%n",
        what,
        AvailableMemory.gibibytes(needed),
        AvailableMemory.gibibytes(available));
    return false;
  }
}
