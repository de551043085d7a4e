package dev.panoptim.optim;

import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backends;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// [HessianTest] on a GPU, and offloaded.
@Tag("gpu")
class GpuHessianTest {
  @BeforeEach
  void needsAGpu() {
    GpuTests.need(1);
  }

  @Test
  void itChangesTheHessianAlone() {
    Problem.gpuBackends(Backends.nativeCode()).forEach(HessianTest::changesTheHessianAlone);
  }

  @Test
  void itFollowsTheOptionsExceptTheNorm() {
    Problem.gpuBackends(Backends.nativeCode()).forEach(HessianTest::followsTheOptions);
  }

  @Test
  void itSkipsGradientsThatAreNotFinite() {
    Problem.gpuBackends(Backends.nativeCode()).forEach(HessianTest::skipsGradientsThatAreNotFinite);
  }
}
