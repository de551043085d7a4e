package dev.panoptim.optim;

import static dev.panoptim.optim.GpuMasterCopyTest.offload;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.EmulatedCuda;
import dev.panoptim.GpuTests;
import dev.panoptim.JavaProcess;
import dev.panoptim.device.Device;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// A master copy stays in use if the set of parameters with gradients changes.
@Tag("gpu")
class GpuMasterCopyPlansTest {
  /// More than one slice. Parameters are aligned, so this odd size leaves a gap before the next
  /// parameter, which is therefore copied separately.
  private static final int SIZE = 1_200_001;

  private static final int SMALL = 33;

  private static long bytesDown(Optimizer optimizer) {
    long before = EmulatedCuda.bytesDown();
    optimizer.step();
    return EmulatedCuda.bytesDown() - before;
  }

  /// Gradients are copied to the host at each step. Data are copied only if their place in the
  /// master copy has changed.
  @Test
  void onlyDataWithANewPlaceComeDownAgain() {
    EmulatedCuda.need();
    Device gpu = Device.cuda(0);
    try (Arena arena = Arena.ofShared();
        Parameters parameters =
            Parameters.builder()
                .add("large", SIZE)
                .add("small", SMALL)
                .add("last", SMALL)
                .device(gpu)
                .build();
        Optimizer optimizer = Sgd.builder(parameters).backend(offload(true)).build()) {
      Parameter small = parameters.get("small");
      Parameter last = parameters.get("last");
      long all = 4L * (SIZE + 2 * SMALL);
      assertEquals(2 * all, bytesDown(optimizer));
      assertEquals(all, bytesDown(optimizer));
      // A gradient in another arena.
      small.setGradient(gpu.allocate(4 * SMALL, arena));
      assertEquals(all, bytesDown(optimizer));
      last.removeGradient();
      assertEquals(all - 4 * SMALL, bytesDown(optimizer));
      last.setGradient(gpu.allocate(4 * SMALL, arena));
      assertEquals(all + 4 * SMALL, bytesDown(optimizer));
      // The data of `last` are written between two plans.
      small.removeGradient();
      assertEquals(all, bytesDown(optimizer));
      gpu.fill(last.data(), SMALL, 1);
      small.setGradient(gpu.allocate(4 * SMALL, arena));
      assertEquals(all + 2 * 4 * SMALL, bytesDown(optimizer));
      last.setGradient(gpu.allocate(4 * SMALL, Arena.ofAuto()));
      gpu.fill(last.data(), SMALL, 2);
      assertEquals(all + 4 * SMALL, bytesDown(optimizer));
      assertEquals(all, bytesDown(optimizer));
    }
  }

  /// A training whose gradients come, go and move, and whose data are written at times.
  ///
  /// @return the bits of all parameters after each step
  private static List<List<Integer>> train(boolean keeps, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Device gpu = Device.cuda(0);
    List<List<Integer>> bits = new ArrayList<>();
    // Adjacent in memory.
    int[] sizes = {700_000, SMALL, 0, 600_000, 5, 1000};
    try (Arena arena = Arena.ofShared()) {
      List<Parameter> all = new ArrayList<>();
      MemorySegment together = gpu.allocate(4L * Arrays.stream(sizes).sum(), arena);
      long start = 0;
      for (int i = 0; i < sizes.length; i++) {
        MemorySegment data = gpu.slice(together, start, 4L * sizes[i]);
        start += 4L * sizes[i];
        all.add(Parameter.onDevice(gpu, "p" + i, sizes[i], data));
        all.getLast().setGradient(gpu.allocate(4L * sizes[i], arena));
      }
      try (Optimizer optimizer =
          AdamW.builder(all.subList(0, 3)).learningRate(0.5).backend(offload(keeps)).build()) {
        for (int step = 0; step < 30; step++) {
          if (step == 10 || step == 15 || step == 20) {
            int added = 3 + (step - 10) / 5;
            optimizer.addParamGroup(all.subList(added, added + 1), Map.of());
          }
          for (Parameter each : all) {
            change(each, random, arena);
          }
          optimizer.step();
          bits.add(all.stream().map(each -> bitsOf(each)).toList());
        }
      }
    }
    return bits;
  }

  private static void change(Parameter p, SplittableRandom random, Arena arena) {
    int choice = random.nextInt(12);
    if (choice == 0) {
      p.removeGradient();
    } else if (choice == 1) {
      p.setGradient(p.device().allocate(4 * p.size(), Arena.ofAuto()));
    } else if (choice == 2 || !p.hasGradient() && choice < 6) {
      p.setGradient(p.device().allocate(4 * p.size(), arena));
    } else if (choice == 6) {
      p.device().fill(p.data(), p.size(), random.nextInt(100));
    }
    float value = random.nextInt(-100, 100);
    if (p.hasGradient()) {
      p.device().fill(p.gradient(), p.size(), value);
    }
  }

  private static int bitsOf(Parameter p) {
    int[] bits = new int[(int) p.size()];
    p.copyDataTo(MemorySegment.ofArray(bits));
    return Arrays.hashCode(bits);
  }

  @Test
  void resultsAreTheSameWhereverGradientsComeAndGo() {
    GpuTests.need(1);
    long seed = System.nanoTime();
    System.out.println("GpuMasterCopyPlansTest: seed " + seed);
    List<List<Integer>> expected = train(false, seed);
    List<List<Integer>> actual = train(true, seed);
    for (int step = 0; step < expected.size(); step++) {
      assertEquals(expected.get(step), actual.get(step), "after step " + step);
    }
  }

  /// Pinned memory is scarce.
  @Test
  void aMasterCopyIsFreedBeforeALargerOneIsAllocated() throws Exception {
    EmulatedCuda.need();
    String output =
        JavaProcess.run(
            PinnedMemoryProbe.class,
            List.of(
                "--enable-native-access=ALL-UNNAMED",
                "-Dpanoptim.memory.limit=20m",
                "-Dpanoptim.cuda.library=" + System.getProperty("panoptim.cuda.library")));
    assertTrue(output.contains("STEPS 1"), output);
  }
}
