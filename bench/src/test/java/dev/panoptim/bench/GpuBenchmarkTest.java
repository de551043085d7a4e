package dev.panoptim.bench;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panoptim.device.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The benchmark of GPUs times correct steps. The GPU is emulated in most test runs.
class GpuBenchmarkTest {
  /// Elements that lie in more than one period of the pattern.
  private static final TensorSizes LONG =
      new TensorSizes(3, GpuPattern.LONGEST / 2 + GpuPattern.LONGEST / 4);

  @BeforeEach
  void needsAGpu() {
    assumeTrue(Device.cudaCount() > 0, Device::whyNoCuda);
  }

  /// `setUp` compares the results.
  @ParameterizedTest
  @EnumSource
  void everyCaseIsTimedAndHasTheResultsOfTheCpu(GpuCase kind) {
    for (String tensors : new String[] {"1x1", "1x50001", "100x1001", "2x600000"}) {
      GpuBenchmark benchmark = new GpuBenchmark();
      benchmark.kind = kind;
      benchmark.tensors = tensors;
      benchmark.measuredNanos = 1e6;
      benchmark.setUp();
      // The first measurement may be of one step, in which classes are loaded.
      benchmark.pair(new Pair(), new HeapBytes());
      Pair pair = new Pair();
      HeapBytes heap = new HeapBytes();
      benchmark.pair(pair, heap);
      assertTrue(pair.stepNanos > 0);
      assertEquals(!kind.isOffloaded(), pair.otherNanos > 0);
      // A step allocates up to 800 bytes for each tensor, and classes may be loaded in it.
      double most = 50_000 + 1000.0 * TensorSizes.parse(tensors).count();
      assertTrue(heap.heapBytes < most, () -> heap.heapBytes + " bytes for " + tensors);
      benchmark.tearDown();
    }
  }

  /// The comparison can fail.
  @ParameterizedTest
  @EnumSource
  void aDifferenceIsFound(GpuCase kind) {
    Device gpu = Device.cuda(0);
    TensorSizes period = new TensorSizes(1, GpuPattern.LONGEST);
    try (GpuMemory memory = new GpuMemory(gpu);
        GpuTraining training = new GpuTraining(kind, LONG, gpu, memory);
        GpuTraining expected = new GpuTraining(kind, period, Device.cpu(), null)) {
      for (int step = 0; step < 2; step++) {
        training.restoreGradients();
        training.step();
        training.await();
        assertThrows(IllegalStateException.class, () -> training.requireSameAs(expected));
        expected.restoreGradients();
        expected.step();
        assertDoesNotThrow(() -> training.requireSameAs(expected));
      }
    }
  }

  /// The table says how many bytes cross the bus.
  @ParameterizedTest
  @EnumSource(names = {"OFFLOAD", "OFFLOAD_MASTER_COPY", "OFFLOAD_ONE_THREAD"})
  void offloadedStepsCopyTheirBytes(GpuCase kind) throws Throwable {
    Device gpu = Device.cuda(0);
    assumeTrue(gpu.describe().startsWith("an emulated device"), "the GPU is not emulated");
    try (GpuMemory memory = new GpuMemory(gpu);
        GpuTraining training = new GpuTraining(kind, LONG, gpu, memory)) {
      training.step();
      long before = copiedBytes();
      training.step();
      assertEquals((long) kind.bytesPerElement() * LONG.total(), copiedBytes() - before);
    }
  }

  /// Bytes that the emulated GPU has copied from or to the host.
  private static long copiedBytes() throws Throwable {
    Path library = Path.of(System.getProperty("panoptim.cuda.library"));
    SymbolLookup symbols = SymbolLookup.libraryLookup(library, Arena.global());
    long bytes = 0;
    for (String each : new String[] {"emulated_bytes_up", "emulated_bytes_down"}) {
      bytes +=
          (long)
              Linker.nativeLinker()
                  .downcallHandle(
                      symbols.find(each).orElseThrow(),
                      FunctionDescriptor.of(ValueLayout.JAVA_LONG))
                  .invokeExact();
    }
    return bytes;
  }
}
