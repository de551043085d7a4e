package dev.panoptim.server.digits;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.PublicationLease;
import org.junit.jupiter.api.Test;

class NetworkParametersTest {
  @Test
  void guardsFindAMixOfTwoSteps() {
    try (NetworkParameters parameters = new NetworkParameters(10, 1);
        Optimizer optimizer = AdamW.builder(parameters.all()).publish().build()) {
      float[] earlier;
      parameters.setGuardGradients();
      optimizer.step();
      try (PublicationLease lease = optimizer.publication().acquire()) {
        earlier = parameters.firstGuard(lease.parameters());
        assertFalse(parameters.isTorn(lease.parameters(), earlier));
      }
      parameters.setGuardGradients();
      optimizer.step();
      try (PublicationLease lease = optimizer.publication().acquire()) {
        assertTrue(parameters.isTorn(lease.parameters(), earlier), "guards of two steps");
        float[] own = parameters.firstGuard(lease.parameters());
        assertFalse(parameters.isTorn(lease.parameters(), own));
        assertNotEquals(earlier[0], own[0]);
      }
    }
  }

  @Test
  void aNewClassHasNoWeights() {
    try (NetworkParameters parameters = new NetworkParameters(10, 1)) {
      var row = parameters.addClass(-4);
      assertTrue(parameters.classes().getLast() == row);
      for (int i = 0; i < Network.HIDDEN; i++) {
        assertTrue(row.data().getAtIndex(JAVA_FLOAT, i) == 0);
      }
      assertTrue(row.data().getAtIndex(JAVA_FLOAT, Network.HIDDEN) == -4);
    }
  }
}
