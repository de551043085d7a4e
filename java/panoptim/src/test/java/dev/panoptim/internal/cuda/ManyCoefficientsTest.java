package dev.panoptim.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.RowFormat;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.StepPlans;
import dev.panoptim.rule.Rule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Steps on a GPU with separate coefficients for each row. A few coefficients are arguments of the
/// launch; more are copied to the GPU.
///
/// The test runs twice: on an emulated GPU, and on the machine's own GPU if there is one.
@Tag("gpu")
class ManyCoefficientsTest {
  private static final int FEW = PanoptimAbi.PANOPTIM_CUDA_FEW();

  @BeforeEach
  void needsAGpu() {
    GpuTests.need(1);
  }

  /// Rows in many arenas are stepped by several native calls, which share the coefficients. The
  /// steps are enqueued without a wait, so the coefficients of a step must be copied before the
  /// coefficients of the next step are written.
  @ParameterizedTest
  @CsvSource({"-1, 1", "0, 1", "1, 1", "100, 1", "0, 20", "1, 20"})
  void eachRowHasItsOwnCoefficients(int more, int arenas) {
    Device gpu = Device.cuda(0);
    int size = 3;
    List<Arena> lifetimes = new ArrayList<>();
    try {
      for (int i = 0; i < arenas; i++) {
        lifetimes.add(Arena.ofShared());
      }
      List<Row> rows = new ArrayList<>();
      for (int i = 0; i < FEW + more; i++) {
        Arena arena = lifetimes.get(i * arenas / (FEW + more));
        MemorySegment data = gpu.allocate(size * Float.BYTES, arena);
        MemorySegment gradient = gpu.allocate(size * Float.BYTES, arena);
        gpu.fill(data, size, 0);
        gpu.fill(gradient, size, 1);
        rows.add(new Row("p" + i, size, data, gradient, List.of(), null, null));
      }
      RowFormat format = new RowFormat(Rule.builder().build(), gpu, gpu, false, null);
      try (StepPlan plan = StepPlan.of(format, List.of(rows)).getFirst()) {
        Engine backend = Engine.of(Backends.cuda(0));
        for (int step = 0; step < 4; step++) {
          StepPlans.descendEach(plan, 1000 * step);
          backend.step(plan, 1, null);
        }
        // The last step has the same coefficients for all rows.
        StepPlans.descend(plan, 5);
        backend.step(plan, 1, null);
        backend.await();
        for (int row = 0; row < rows.size(); row++) {
          float[] data = gpu.copyOf(rows.get(row).data(), size * Float.BYTES).toArray(JAVA_FLOAT);
          for (float each : data) {
            assertEquals(-(6000 + 4 * row + 5), each, "row " + row);
          }
        }
      }
    } finally {
      lifetimes.forEach(Arena::close);
    }
  }
}
