package dev.panoptim.optim;

import static dev.panoptim.Illegal.assertSays;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.panoptim.EmulatedCuda;
import dev.panoptim.backend.Backend;
import dev.panoptim.device.Device;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.device.DeviceAccess;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Queries to CUDA about memory that other code has allocated. They are frequent enough that no
/// freed memory is used, and rare enough that gradients can move at each step. The test counts the
/// queries of an emulated GPU.
class GpuQueriesTest {
  private static final int SIZE = 3;
  private static final long BYTES = SIZE * Float.BYTES;

  @BeforeEach
  void needsAnEmulatedGpu() {
    EmulatedCuda.need();
  }

  /// Allocates memory that this library does not know, as another library in the process would.
  private static MemorySegment allocateElsewhere(long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(ValueLayout.ADDRESS);
      MemorySegment error = arena.allocate(PanoptimAbi.PANOPTIM_TEXT());
      int status = PanoptimAbi.panoptim_cuda_allocate(0, bytes, memory, error);
      assertEquals(PanoptimAbi.PANOPTIM_OK(), status, () -> error.getString(0));
      return memory.get(ValueLayout.ADDRESS, 0);
    }
  }

  private static void freeElsewhere(MemorySegment memory) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment error = arena.allocate(PanoptimAbi.PANOPTIM_TEXT());
      int status = PanoptimAbi.panoptim_cuda_free(0, memory, error);
      assertEquals(PanoptimAbi.PANOPTIM_OK(), status, () -> error.getString(0));
    }
  }

  private static MemorySegment at(MemorySegment memory, long offset) {
    return MemorySegment.ofAddress(memory.address() + offset);
  }

  private static void fill(MemorySegment memory, long bytes, float value) {
    float[] values = new float[(int) (bytes / Float.BYTES)];
    Arrays.fill(values, value);
    Device.cuda(0).upload(MemorySegment.ofArray(values), memory);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void gradientsThatMoveNeedAQueryForEachAllocation(boolean norm) {
    int count = 10_000;
    int allocations = 4;
    double clipAt = norm ? 1e9 : Double.POSITIVE_INFINITY;
    for (Backend backend : Problem.gpuBackends()) {
      List<MemorySegment> places = new ArrayList<>();
      for (int i = 0; i < 2 * allocations; i++) {
        places.add(allocateElsewhere(count / allocations * BYTES));
        fill(places.getLast(), count / allocations * BYTES, i < allocations ? 1 : 2);
      }
      try (Arena arena = Arena.ofShared()) {
        Device gpu = backend.device();
        MemorySegment data = gpu.allocate(count * BYTES, arena);
        List<Parameter> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
          all.add(Parameter.onDevice(gpu, "p" + i, SIZE, gpu.slice(data, i * BYTES, BYTES)));
        }
        try (Optimizer optimizer =
            Sgd.builder(all)
                .learningRate(1)
                .backend(backend)
                .options(options -> options.clipGradNorm(clipAt))
                .build()) {
          long queries = 0;
          for (int step = 0; step < 4; step++) {
            long before = EmulatedCuda.queries();
            for (int i = 0; i < count; i++) {
              MemorySegment place = places.get(step % 2 * allocations + i % allocations);
              all.get(i).setGradient(at(place, i / allocations * BYTES));
            }
            optimizer.step();
            queries = EmulatedCuda.queries() - before;
          }
          // CUDA is queried when the gradients are set, when the step checks them, and when they
          // are copied.
          int rounds = 2 + (backend.name().equals("offload") ? norm ? 2 : 1 : 0);
          assertEquals(rounds * allocations, queries, backend::toString);
          for (float each : gpu.copyOf(data, count * BYTES).toArray(JAVA_FLOAT)) {
            assertEquals(-6, each);
          }
          for (int i = 0; i < count; i++) {
            all.get(i).setGradient(at(places.get(i % allocations), i / allocations * BYTES));
          }
          long before = EmulatedCuda.queries();
          optimizer.zeroGrad();
          assertEquals(allocations, EmulatedCuda.queries() - before, backend::toString);
          for (MemorySegment place : places.subList(0, allocations)) {
            for (float each : gpu.copyOf(place, count / allocations * BYTES).toArray(JAVA_FLOAT)) {
              assertEquals(0, each);
            }
          }
        }
      }
      places.forEach(GpuQueriesTest::freeElsewhere);
    }
  }

  @Test
  void aGradientThatIsFreedBeforeTheStepIsRejected() {
    for (Backend backend : Problem.gpuBackends()) {
      Device gpu = backend.device();
      // Each place is a separate allocation, not a part of a larger block.
      MemorySegment[] places = new MemorySegment[3];
      for (int i = 0; i < places.length; i++) {
        places[i] = allocateElsewhere(2 << 20);
        fill(places[i], 2 * BYTES, 1);
      }
      try (Arena arena = Arena.ofShared()) {
        Parameter p = Parameter.onDevice(gpu, "p", SIZE, gpu.allocate(BYTES, arena));
        Parameter q = Parameter.onDevice(gpu, "q", SIZE, gpu.allocate(BYTES, arena));
        try (Optimizer optimizer =
            Sgd.builder(List.of(p, q)).learningRate(1).backend(backend).build()) {
          p.setGradient(places[0]);
          q.setGradient(at(places[0], BYTES));
          optimizer.step();
          p.setGradient(places[1]);
          freeElsewhere(places[1]);
          assertSays("gradient of 'p' takes 12 bytes from address 0x", optimizer::step);
          // The allocation has become known with the gradient of p, and has been freed since.
          p.setGradient(places[2]);
          freeElsewhere(places[2]);
          p.setGradient(places[0]);
          q.setGradient(at(places[2], BYTES));
          assertSays("gradient of 'q' takes 12 bytes from address 0x", optimizer::step);
          // The rejected step has queried CUDA again, so this library no longer knows the
          // allocation.
          assertSays("gradient of 'q' takes 12 bytes", () -> q.setGradient(places[2]));
          assertEquals(1, optimizer.stepCount(p));
          q.setGradient(at(places[0], BYTES));
          optimizer.step();
          assertEquals(2, optimizer.stepCount(q));
          for (Parameter each : List.of(p, q)) {
            for (float value : gpu.copyOf(each.data(), BYTES).toArray(JAVA_FLOAT)) {
              assertEquals(-2, value);
            }
          }
        }
      }
      freeElsewhere(places[0]);
    }
  }

  private static boolean isHeld(Device gpu, MemorySegment memory, long bytes) {
    return DeviceAccess.get().heldWhenAsked(gpu, memory, bytes);
  }

  @Test
  void memoryBehindAnAllocationIsRejected() {
    Device gpu = Device.cuda(0);
    MemorySegment elsewhere = allocateElsewhere(3 << 20);
    assertTrue(gpu.holds(elsewhere, 3 << 20));
    assertTrue(isHeld(gpu, at(elsewhere, 4), (3 << 20) - 4));
    assertFalse(gpu.holds(elsewhere, (3 << 20) + 1));
    assertFalse(isHeld(gpu, at(elsewhere, 4), 3 << 20));
    assertSays(
        "data of 'p' takes 3145732 bytes",
        () -> Parameter.onDevice(gpu, "p", (3 << 18) + 1, elsewhere));
    assertSays("memory takes 3145732 bytes", () -> gpu.fill(elsewhere, (3 << 18) + 1, 1));
    freeElsewhere(elsewhere);
    assertFalse(gpu.holds(elsewhere, 4));
    DeviceAccess.get().forgetRanges(gpu);
    assertFalse(isHeld(gpu, elsewhere, 4));
  }

  /// The allocation has the bounds that this library knows, and not those of an earlier one.
  @Test
  void anAllocationInTheRangeOfAFreedOneHasItsOwnBounds() {
    Device gpu = Device.cuda(0);
    try (Arena arena = Arena.ofShared()) {
      for (int i = 0; i < 100; i++) {
        MemorySegment elsewhere = allocateElsewhere(512);
        assertTrue(isHeld(gpu, elsewhere, 512));
        freeElsewhere(elsewhere);
        MemorySegment own = gpu.allocate(300, arena);
        assertTrue(isHeld(gpu, own, 300));
        assertFalse(isHeld(gpu, own, 512));
        if (own.address() == elsewhere.address()) {
          return;
        }
      }
    }
    fail("no address was used again");
  }

  /// CUDA is queried once for each allocation, in any order of the addresses.
  @Test
  void allocationsAreFoundInAnyOrder() {
    long seed = System.nanoTime();
    System.out.println("GpuQueriesTest: seed " + seed);
    Device gpu = Device.cuda(0);
    List<MemorySegment> all = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      all.add(allocateElsewhere(2 << 20));
    }
    List<MemorySegment> ordered = new ArrayList<>(all);
    DeviceAccess.get().forgetRanges(gpu);
    long before = EmulatedCuda.queries();
    for (int round = 0; round < 3; round++) {
      Collections.shuffle(ordered, new Random(seed + round));
      for (MemorySegment each : ordered) {
        assertTrue(isHeld(gpu, each, 4));
        assertTrue(isHeld(gpu, at(each, (2 << 20) - 4), 4));
      }
    }
    assertEquals(all.size(), EmulatedCuda.queries() - before);
    all.forEach(GpuQueriesTest::freeElsewhere);
    DeviceAccess.get().forgetRanges(gpu);
    assertFalse(isHeld(gpu, all.get(50), 4));
  }

  /// One tensor may lie in several mappings of memory to adjacent addresses. CUDA does not tell
  /// them from adjacent allocations.
  @Test
  void memoryInAdjacentRangesIsAccepted() {
    Device gpu = Device.cuda(0);
    List<MemorySegment> all = new ArrayList<>();
    while (all.size() < 2 || all.getLast().address() != all.get(all.size() - 2).address() + 512) {
      all.add(allocateElsewhere(512));
    }
    MemorySegment first = all.get(all.size() - 2);
    assertTrue(gpu.holds(first, 1024));
    assertTrue(isHeld(gpu, first, 1024));
    all.forEach(GpuQueriesTest::freeElsewhere);
    assertFalse(gpu.holds(first, 1024));
  }
}
