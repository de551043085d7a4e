package dev.panoptim.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backends;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// A peer's process receives its commands, and differences between results are detected.
class PeerProcessTest {
  private static final TensorSizes SIZES = new TensorSizes(3, 1000);

  private static PeerProcess peer(String learningRate) throws IOException {
    return PeerProcess.training(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            PanoptimPeer.class.getName(),
            Integer.toString(SIZES.count()),
            learningRate),
        SIZES,
        Map.of());
  }

  private static Training training() {
    return new Training(BenchedOptimizer.ADAMW, SIZES, Backends.nativeCode(), 2, builder -> {});
  }

  @Test
  void aPeerOfTheSameFormulaAgrees() throws IOException {
    try (Training training = training();
        PeerProcess peer = peer("1e-3")) {
      assertEquals("Panoptim, scalar", peer.version());
      training.optimizer.step();
      assertTrue(peer.step(2) > 0);
      Agreement.require(training, SIZES, peer);
    }
  }

  @Test
  void aPeerWithFewerStepsOrAnotherResultDoesNotAgree() throws IOException {
    for (String learningRate : new String[] {"1e-3", "1.01e-3"}) {
      try (Training training = training();
          PeerProcess peer = peer(learningRate)) {
        if (learningRate.equals("1e-3")) {
          training.optimizer.step();
        }
        peer.step(1);
        var e =
            assertThrows(
                IllegalStateException.class, () -> Agreement.require(training, SIZES, peer));
        assertTrue(e.getMessage().endsWith("in Panoptim, scalar"), e.getMessage());
      }
    }
  }

  /// Two parameters that have not moved would be equal.
  @Test
  void aPeerThatHasNotMovedDoesNotAgree() throws IOException {
    try (Training training = training();
        PeerProcess peer = peer("0")) {
      peer.step(1);
      assertThrows(IllegalStateException.class, () -> Agreement.require(training, SIZES, peer));
    }
  }

  @Test
  void anEndedProcessIsReported() {
    IOException e = assertThrows(IOException.class, () -> peer("").close());
    assertEquals("the peer's process has ended; see its error output", e.getMessage());
  }

  /// A suite runs only optimizers that the peer has.
  @Test
  void everyPeerHasItsMainOptimizer() {
    for (Peer each : Peer.values()) {
      assertTrue(each.has(each.mainOptimizer()), each.label());
    }
    assertTrue(Peer.PYTORCH_FUSED.has(BenchedOptimizer.SGD_MOMENTUM));
    assertNull(BenchedOptimizer.LION.inPyTorch());
    assertEquals("AdamW(p, fused=True)", BenchedOptimizer.ADAMW.inPyTorchFused());
    assertEquals(
        "SGD(p, lr=1e-3, momentum=0.9, fused=True)",
        BenchedOptimizer.SGD_MOMENTUM.inPyTorchFused());
  }
}
