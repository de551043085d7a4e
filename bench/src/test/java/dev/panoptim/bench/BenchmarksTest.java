package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.openjdk.jmh.annotations.Param;

/// The benchmarks time correct computations.
class BenchmarksTest {
  private static int[] bitsAfterSteps(BenchedOptimizer optimizer, String backend, int threads) {
    try (Training training = new Training(optimizer, 40_000, Backends.named(backend), threads)) {
      for (int i = 0; i < 5; i++) {
        training.optimizer.step();
      }
      return training.parameter.data().toArray(JAVA_INT);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyBackendIsTimedOnTheSameWork(BenchedOptimizer optimizer) {
    int[] expected = bitsAfterSteps(optimizer, "scalar", 1);
    for (String backend : new String[] {"native", "vector", "scalar"}) {
      assertArrayEquals(expected, bitsAfterSteps(optimizer, backend, 1), backend);
      assertArrayEquals(expected, bitsAfterSteps(optimizer, backend, 2), backend);
    }
  }

  /// Operands 0 and 1 are data and gradient, the others states.
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6})
  void theTrafficKernelMovesEveryElementAndNoOther(int count) {
    for (int size : new int[] {0, 1, 7, 1000, 100_003}) {
      for (int threads = 1; threads <= 2; threads++) {
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment[] operands = new MemorySegment[count];
          List<MemorySegment> middles = new ArrayList<>();
          for (int k = 0; k < count; k++) {
            operands[k] = arena.allocate(4L * size + 8, 64);
            for (int i = 0; i < size + 2; i++) {
              operands[k].setAtIndex(JAVA_FLOAT, i, 3 * k + 1);
            }
            middles.add(operands[k].asSlice(4, 4L * size));
          }
          new Traffic(middles.get(0), middles.get(1), middles.subList(2, count), threads).move();
          for (int k = 0; k < count; k++) {
            float moved = k == 0 ? 4 - 1 : k == 1 ? 4 : -(3 * k + 1);
            assertEquals(3 * k + 1, operands[k].getAtIndex(JAVA_FLOAT, 0));
            for (int i = 1; i <= size; i++) {
              assertEquals(moved, operands[k].getAtIndex(JAVA_FLOAT, i));
            }
            assertEquals(3 * k + 1, operands[k].getAtIndex(JAVA_FLOAT, size + 1));
          }
        }
      }
    }
  }

  @Test
  void theTrafficKernelRefusesMoreStatesThanItMoves() {
    MemorySegment any = MemorySegment.ofArray(new float[1]);
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new Traffic(any, any, List.of(any, any, any, any, any), 1));
    assertTrue(e.getMessage().contains("states are 5, but must be at most 4"), e.getMessage());
  }

  /// `setUp` compares the results.
  @Test
  void theFusedStepIsComparedWithEqualPasses() throws Exception {
    EpilogueBenchmark benchmark = new EpilogueBenchmark();
    benchmark.against = EpilogueBenchmark.PASSES;
    benchmark.elements = 50_001;
    benchmark.threads = 2;
    benchmark.setUp();
    Pair pair = new Pair();
    benchmark.pair(pair);
    requireTimed(pair);
    benchmark.tearDown();
  }

  /// `setUp` compares the results.
  @ParameterizedTest
  @ValueSource(strings = {PublicationBenchmark.COPY, PublicationBenchmark.NOTHING})
  void aPublicationEqualsACopy(String against) {
    PublicationBenchmark benchmark = new PublicationBenchmark();
    benchmark.against = against;
    benchmark.elements = 50_001;
    benchmark.threads = 2;
    benchmark.setUp();
    Pair pair = new Pair();
    benchmark.pair(pair);
    requireTimed(pair);
    benchmark.tearDown();
  }

  /// `setUp` compares the results with sums of doubles.
  @ParameterizedTest
  @ValueSource(strings = {"60x70x80", "90x50"})
  void matrixProductsAreCorrect(String shape) {
    for (String backend : new String[] {"native", "vector", "scalar"}) {
      for (String against : new String[] {MatrixBenchmark.PEAK, MatrixBenchmark.OPENBLAS}) {
        if (against.equals(MatrixBenchmark.PEAK) || OpenBlas.file() != null) {
          MatrixBenchmark benchmark = new MatrixBenchmark();
          benchmark.shape = shape;
          benchmark.threads = 2;
          benchmark.backend = backend;
          benchmark.against = against;
          benchmark.setUp();
          Pair pair = new Pair();
          benchmark.pair(pair);
          requireTimed(pair);
          benchmark.tearDown();
        }
      }
    }
  }

  static void requireTimed(Pair pair) {
    assertTrue(pair.stepNanos > 0 && pair.otherNanos > 0);
  }

  /// `setUp` compares the results.
  @ParameterizedTest
  @ValueSource(strings = {"1x1", "1000x256", "100x1000"})
  void manyTensorsReachTheResultOfOneTensor(String tensors) {
    for (String gradients : new String[] {ManyTensorsBenchmark.STAY, ManyTensorsBenchmark.MOVE}) {
      ManyTensorsBenchmark benchmark = new ManyTensorsBenchmark();
      benchmark.tensors = tensors;
      benchmark.gradients = gradients;
      benchmark.threads = 2;
      benchmark.setUp();
      benchmark.tearDown();
    }
  }

  /// `setUp` compares loaded with saved data.
  @ParameterizedTest
  @ValueSource(
      strings = {CheckpointBenchmark.SAVE, CheckpointBenchmark.SNAPSHOT, CheckpointBenchmark.LOAD})
  void checkpointsAreSavedAndLoadedAndCopied(String action, @TempDir Path disk) throws Exception {
    CheckpointBenchmark benchmark = new CheckpointBenchmark();
    benchmark.action = action;
    benchmark.elements = 100_003;
    benchmark.disk = disk.toString();
    benchmark.setUp();
    Pair pair = new Pair();
    HeapBytes heap = new HeapBytes();
    benchmark.pair(pair, heap);
    requireTimed(pair);
    assertTrue(heap.heapBytes > 0);
    Path file = Files.write(disk.resolve("file"), new byte[] {1, 2, 3});
    CheckpointBenchmark.copy(file, disk.resolve("copied"));
    assertEquals(-1, Files.mismatch(file, disk.resolve("copied")));
    benchmark.tearDown();
  }

  @Test
  void everyKindOfCallAddsOne() throws Throwable {
    CallOverheadBenchmark benchmark = new CallOverheadBenchmark();
    benchmark.setUp();
    assertEquals(1, benchmark.java());
    assertEquals(2, benchmark.jni());
    assertEquals(3, benchmark.downcall());
    assertEquals(4, benchmark.criticalDowncall());
    assertEquals(5, benchmark.criticalDowncallOnHeap());
    assertEquals(1, benchmark.emptyStep());
    benchmark.tearDown();
  }

  @Test
  void everyWayToSetAGradientSetsEachOne() {
    GradientAddressBenchmark benchmark = new GradientAddressBenchmark();
    benchmark.setUp();
    benchmark.presentAddress();
    requireGradients(benchmark.parameters, benchmark.addresses[0]);
    benchmark.otherAddress();
    requireGradients(benchmark.parameters, benchmark.addresses[1]);
    benchmark.segmentOfOtherAddress();
    requireGradients(benchmark.parameters, benchmark.addresses[0]);
    benchmark.source();
    requireGradients(benchmark.withSource, benchmark.addresses[0]);
    benchmark.tearDown();
  }

  private static void requireGradients(Parameter[] parameters, long[] addresses) {
    for (int i = 0; i < GradientAddressBenchmark.PARAMETERS; i++) {
      assertEquals(addresses[i], parameters[i].gradient().address());
    }
  }

  /// Each batch begins at the set step count, and every backend makes the same steps.
  @ParameterizedTest
  @ValueSource(longs = {10_000, 200_000})
  void smallStepsBeginAtTheSetStepCount(long step) {
    int[] expected = null;
    for (String backend : new String[] {"native", "vector", "scalar"}) {
      SmallStepBenchmark benchmark = new SmallStepBenchmark();
      benchmark.backend = backend;
      benchmark.elements = 16;
      benchmark.step = step;
      benchmark.setUp();
      Training training = benchmark.training();
      SmallStepBenchmark.Heap heap = new SmallStepBenchmark.Heap();
      for (int batch = 0; batch < 3; batch++) {
        benchmark.setStepCount();
        assertEquals(step, training.optimizer.stepCount(training.parameter));
        benchmark.steps(heap);
        assertEquals(
            step + SmallStepBenchmark.BATCH, training.optimizer.stepCount(training.parameter));
      }
      int[] bits = training.parameter.data().toArray(JAVA_INT);
      expected = expected == null ? bits : expected;
      assertArrayEquals(expected, bits, backend);
      assertTrue(heap.heapBytes >= 0);
      benchmark.tearDown();
    }
  }

  /// A step after the count has been set is the step that a training with this count makes.
  @ParameterizedTest
  @EnumSource
  void aSetStepCountKeepsTheStates(BenchedOptimizer optimizer) {
    try (Training set = new Training(optimizer, 1000, Backends.nativeCode(), 1);
        Training made = new Training(optimizer, 1000, Backends.nativeCode(), 1)) {
      for (int i = 0; i < 7; i++) {
        set.optimizer.step();
        made.optimizer.step();
      }
      set.optimizer.loadStateDict(set.stateDictAt(8));
      set.optimizer.step();
      made.optimizer.step();
      assertEquals(9, set.optimizer.stepCount(set.parameter));
      assertArrayEquals(
          made.parameter.data().toArray(JAVA_INT), set.parameter.data().toArray(JAVA_INT));
      for (int i = 0; i < set.states().size(); i++) {
        assertArrayEquals(
            made.states().get(i).toArray(JAVA_INT), set.states().get(i).toArray(JAVA_INT));
      }
    }
  }

  /// `setUp` compares the results of all variants, which the benchmark itself lists.
  @Test
  void otherConstantsReachTheSameBits() throws Exception {
    Param changes = ConstantsBenchmark.class.getField("changed").getAnnotation(Param.class);
    assertTrue(changes.value().length > 10);
    for (String changed : changes.value()) {
      for (int elements : new int[] {1, 16_385, 100_003}) {
        ConstantsBenchmark benchmark = new ConstantsBenchmark();
        benchmark.changed = changed;
        benchmark.elements = elements;
        benchmark.setUp();
        benchmark.tearDown();
      }
    }
  }

  /// The constants with which others are compared are those of the library.
  @Test
  void theChosenConstantsAreThoseOfTheLibrary() throws IOException {
    Map<String, Integer> chosen = Constants.CHOSEN.values();
    Path sources = Path.of("..", "native");
    requireLine(
        sources.resolve("src/step/loops.h"), "fetch_ahead = " + chosen.get("fetchAhead") + ";");
    requireLine(sources.resolve("src/step/step.cpp"), "tile = " + chosen.get("tile") + ";");
    requireLine(
        sources.resolve("include/panoptim.h"), "#define PANOPTIM_CHUNK " + chosen.get("chunk"));
    try (Parameters one = Parameters.builder().add("p", 1 << 20).build()) {
      Parameter parameter = one.get("p");
      assertEquals(
          (int) chosen.get("stagger"),
          (parameter.gradient().address() - parameter.data().address()) % (2 << 20));
    }
  }

  private static void requireLine(Path file, String part) throws IOException {
    assertTrue(Files.readString(file).contains(part), file + " lacks the line " + part);
  }

  /// Each kind of threads reaches the same bits, and each kind of pause measures time and work.
  @Test
  void stepsByEachKindOfThreadsAreTheSame() throws Exception {
    int[] expected = null;
    Param kinds = ThreadingBenchmark.class.getField("threading").getAnnotation(Param.class);
    assertEquals(4, kinds.value().length);
    for (String kind : kinds.value()) {
      ThreadingBenchmark benchmark = new ThreadingBenchmark();
      benchmark.threading = kind;
      benchmark.elements = 70_000;
      benchmark.threads = 2;
      benchmark.millis = 5;
      benchmark.setUp();
      int[] bits = benchmark.bitsAfterSteps(5);
      expected = expected == null ? bits : expected;
      assertArrayEquals(expected, bits, kind);
      for (String caller : new String[] {ThreadingBenchmark.SPINS, ThreadingBenchmark.SLEEPS}) {
        benchmark.caller = caller;
        benchmark.pauseMicros = 50;
        ThreadingBenchmark.Cost cost = new ThreadingBenchmark.Cost();
        // The system counts CPU time in ticks; a short run may see none.
        for (int i = 0; i < 1000 && cost.processors == 0; i++) {
          benchmark.steps(cost);
        }
        assertTrue(cost.stepNanos > 0 && cost.processors > 0);
      }
      benchmark.tearDown();
    }
  }

  @Test
  void nativeCodeSeesSetEnvironmentVariables() {
    for (String value : new String[] {"active", "", "a=b"}) {
      ProcessEnvironment.set("PANOPTIM_TEST", value);
      assertEquals(value, ProcessEnvironment.get("PANOPTIM_TEST"));
    }
    assertThrows(IllegalArgumentException.class, () -> ProcessEnvironment.set("A=B", "c"));
  }

  /// Times are measured for platform and virtual threads.
  @Test
  void callersAreTimed() throws Exception {
    Pair pair = new Pair();
    for (String kind : new String[] {"platform", "virtual"}) {
      CallersBenchmark callers = new CallersBenchmark();
      callers.callers = 4;
      callers.kind = kind;
      callers.elements = 50_000;
      callers.millis = 20;
      callers.setUp();
      CallersBenchmark.ThreadCount count = new CallersBenchmark.ThreadCount();
      callers.pair(pair, count);
      requireTimed(pair);
      assertTrue(count.nativeThreads > 0);
      callers.tearDown();
    }
  }
}
