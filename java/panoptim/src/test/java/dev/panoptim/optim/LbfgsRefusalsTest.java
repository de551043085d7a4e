package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.panoptim.EmulatedCuda;
import dev.panoptim.Illegal;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The arguments that L-BFGS refuses.
class LbfgsRefusalsTest {
  private static Parameters parameters() {
    return Parameters.builder().add("a", 7).add("b", 13).build();
  }

  @Test
  void illegalOptionsAreNamed() {
    try (Parameters all = parameters()) {
      LbfgsBuilder builder = Lbfgs.builder(all);
      for (double bad : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY, 1e39}) {
        Illegal.assertSays("learningRate is " + bad, () -> builder.learningRate(bad));
        Illegal.assertSays("toleranceGrad is " + bad, () -> builder.toleranceGrad(bad));
        Illegal.assertSays("toleranceChange is " + bad, () -> builder.toleranceChange(bad));
      }
      for (int bad : new int[] {0, -1, Integer.MIN_VALUE}) {
        Illegal.assertSays(
            "maxIterations is " + bad + ", but must be 1 or more",
            () -> builder.maxIterations(bad));
        Illegal.assertSays("maxEvaluations is " + bad, () -> builder.maxEvaluations(bad));
        Illegal.assertSays("historySize is " + bad, () -> builder.historySize(bad));
        Illegal.assertSays("threads is " + bad, () -> builder.threads(bad));
      }
      Illegal.assertSays("threads is 1025", () -> builder.threads(1025));
      assertThrows(NullPointerException.class, () -> builder.backend(null));
      try (Lbfgs optimizer = builder.build()) {
        Illegal.assertSays("learningRate is -1.0", () -> optimizer.setLearningRate(-1));
        assertEquals(1, optimizer.learningRate());
        assertThrows(NullPointerException.class, () -> optimizer.step(null));
      }
    }
  }

  @Test
  void illegalParametersAreNamed() {
    Illegal.assertSays("there is no parameter", () -> Lbfgs.builder(List.of()).build());
    try (Arena arena = Arena.ofShared()) {
      MemorySegment data = arena.allocate(64, 4);
      Parameter a = Parameter.of("a", 8, data.asSlice(0, 32));
      Parameter b = Parameter.of("b", 8, data.asSlice(28, 32));
      Parameter sameName = Parameter.of("a", 2, data.asSlice(56, 8));
      Illegal.assertSays("'a' is given twice", () -> Lbfgs.builder(List.of(a, a)).build());
      Illegal.assertSays(
          "two parameters named 'a'", () -> Lbfgs.builder(List.of(a, sameName)).build());
      Illegal.assertSays(
          "data of 'a' and data of 'b' share 4 bytes", () -> Lbfgs.builder(List.of(a, b)).build());
    }
  }

  @Test
  void aGpuIsRefused() {
    EmulatedCuda.need();
    Device device = Device.cuda(0);
    try (Parameters all = Parameters.builder().device(device).add("w", 4).build();
        Parameters here = parameters()) {
      Illegal.assertSays(
          "parameter 'w' is on " + device + ", but L-BFGS works on the cpu only",
          () -> Lbfgs.builder(all).build());
      Illegal.assertSays(
          "the backend is cuda on " + device + ", but L-BFGS works on the cpu only",
          () -> Lbfgs.builder(here).backend(Backends.cuda(0)).build());
      Illegal.assertSays(
          "the backend is offload",
          () -> Lbfgs.builder(here).backend(Backends.offload(device)).build());
    }
  }
}
