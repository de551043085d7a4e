package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A rejected step has changed nothing, whichever group is invalid. All checks come before the
/// first group is updated.
@Tag("gpu")
class WholeStepTest {
  private static final int[] SIZES = {5, 17_000, 0, 33};

  /// The fault of the last group.
  enum Fault {
    DEAD_DATA(IllegalStateException.class, "data of 'last' lies in an arena that has been closed"),
    DEAD_GRADIENT(
        IllegalStateException.class, "gradient of 'last' lies in an arena that has been closed"),
    CONFINED_DATA(WrongThreadException.class, "data of 'last' lies in an arena that is confined"),
    CONFINED_GRADIENT(
        WrongThreadException.class, "gradient of 'last' lies in an arena that is confined"),
    READ_ONLY_GRADIENT_TO_BE_ZEROED(
        IllegalArgumentException.class, "gradient of 'last' is read-only"),
    GRADIENT_IN_ANOTHER_GROUPS_DATA(IllegalArgumentException.class, "share"),
    GRADIENT_IN_ANOTHER_GROUPS_GRADIENT(IllegalArgumentException.class, "share");

    final Class<? extends RuntimeException> type;
    final String words;

    Fault(Class<? extends RuntimeException> type, String words) {
      this.type = type;
      this.words = words;
    }
  }

  /// The options of a step.
  enum Extras {
    NONE,
    ALL
  }

  static List<Backend> backends() {
    // One native tier is enough, because all tiers make the same checks.
    List<Backend> all =
        new ArrayList<>(List.of(Backends.nativeCode(), Backends.vector(), Backends.scalar()));
    if (Device.cudaCount() > 0) {
      all.addAll(Problem.gpuBackends());
    }
    return all;
  }

  /// A training of several groups; the last group has separate memory.
  private static final class Groups implements AutoCloseable {
    final Device device;
    final Arena good = Arena.ofShared();
    final List<Parameter> parameters = new ArrayList<>();
    final Parameter last;
    final Optimizer optimizer;
    private final Arena ofData;

    Groups(Backend backend, Extras extras, Arena ofData) {
      device = backend.device();
      this.ofData = ofData;
      for (int i = 0; i < SIZES.length; i++) {
        parameters.add(parameter("p" + i, SIZES[i], good));
      }
      last = parameter("last", 33, ofData);
      var builder =
          AdamW.builder(parameters.subList(0, 1))
              .group(parameters.subList(1, 3), Map.of())
              .group(parameters.subList(3, 4), Map.of())
              .group(List.of(last), Map.of())
              .learningRate(0.1)
              .threads(3)
              .backend(backend);
      if (extras == Extras.ALL) {
        builder
            .options(o -> o.clipGradNorm(0.1).skipNonFinite(true).clipGradValue(0.01))
            .averageParameters(0.9)
            .halfPrecisionCopy(HalfPrecision.BFLOAT16);
      }
      optimizer = builder.build();
      parameters.add(last);
    }

    private Parameter parameter(String name, int size, Arena ofData) {
      long bytes = (long) size * Float.BYTES;
      Parameter made = Parameter.onDevice(device, name, size, device.allocate(bytes, ofData));
      made.setGradient(device.allocate(bytes, good));
      float[] numbers = new float[size];
      Arrays.fill(numbers, 0.5f);
      made.copyDataFrom(MemorySegment.ofArray(numbers));
      Arrays.fill(numbers, 0.25f);
      made.copyGradientFrom(MemorySegment.ofArray(numbers));
      return made;
    }

    /// All bytes that a step could change and that this thread can still read.
    Map<String, ByteBuffer> bytes() {
      Map<String, ByteBuffer> all = new LinkedHashMap<>();
      optimizer.await();
      for (Parameter each : parameters) {
        all.put(
            each.name() + " steps",
            ByteBuffer.allocate(Long.BYTES).putLong(optimizer.stepCount(each)).flip());
        add(all, each.name() + " data", each.data(), each.size() * Float.BYTES);
        add(all, each.name() + " gradient", each.gradient(), each.size() * Float.BYTES);
        if (optimizer.hasHalfPrecisionCopies() && optimizer.stepCount(each) > 0) {
          add(
              all,
              each.name() + " halfPrecisionCopy",
              optimizer.halfPrecisionCopy(each),
              each.size() * Short.BYTES);
        }
      }
      optimizer
          .stateDict()
          .parameters()
          .forEach(
              (name, state) ->
                  state
                      .states()
                      .forEach(
                          (kind, bits) ->
                              all.put(
                                  name + " " + kind, ByteBuffer.wrap(bits.toArray(JAVA_BYTE)))));
      return all;
    }

    private void add(Map<String, ByteBuffer> all, String name, MemorySegment memory, long bytes) {
      if (memory.scope().isAlive() && memory.isAccessibleBy(Thread.currentThread())) {
        byte[] copy = device.copyOf(memory, bytes).toArray(JAVA_BYTE);
        all.put(name, ByteBuffer.wrap(copy));
      }
    }

    @Override
    public void close() {
      optimizer.close();
      good.close();
      if (ofData.scope().isAlive()) {
        ofData.close();
      }
    }
  }

  private static Throwable thrownBy(Runnable step, boolean onAnotherThread) throws Exception {
    if (!onAnotherThread) {
      return assertThrows(RuntimeException.class, step::run);
    }
    var future = CompletableFuture.runAsync(step);
    return assertThrows(ExecutionException.class, future::get).getCause();
  }

  /// The fault occurs at the first step, at a step with new gradients, or after the memory was
  /// closed.
  @ParameterizedTest
  @EnumSource
  void theLastGroupIsBad(Fault fault) throws Exception {
    for (Backend backend : backends()) {
      for (Extras extras : Extras.values()) {
        for (int stepsBefore : new int[] {0, 2}) {
          theLastGroupIsBad(fault, backend, extras, stepsBefore);
        }
      }
    }
  }

  private static void theLastGroupIsBad(
      Fault fault, Backend backend, Extras extras, int stepsBefore) throws Exception {
    String what = fault + " on " + backend + " with " + extras + " after " + stepsBefore;
    boolean confines = fault == Fault.CONFINED_DATA || fault == Fault.CONFINED_GRADIENT;
    Arena other = confines ? Arena.ofConfined() : Arena.ofShared();
    Arena ofData =
        fault == Fault.DEAD_DATA || fault == Fault.CONFINED_DATA ? other : Arena.ofShared();
    try (Groups groups = new Groups(backend, extras, ofData)) {
      Parameter last = groups.last;
      if (fault == Fault.DEAD_GRADIENT || fault == Fault.CONFINED_GRADIENT) {
        last.setGradient(groups.device.allocate(last.size() * Float.BYTES, other));
      }
      for (int i = 0; i < stepsBefore; i++) {
        groups.optimizer.step();
      }
      MemorySegment good = last.gradient();
      switch (fault) {
        case DEAD_DATA, DEAD_GRADIENT -> other.close();
        case CONFINED_DATA, CONFINED_GRADIENT -> {}
        case READ_ONLY_GRADIENT_TO_BE_ZEROED -> {
          last.setGradient(good.asReadOnly());
          groups.optimizer.options().zeroGrad(true);
        }
        case GRADIENT_IN_ANOTHER_GROUPS_DATA ->
            last.setGradient(part(groups, groups.parameters.get(1).data()));
        case GRADIENT_IN_ANOTHER_GROUPS_GRADIENT ->
            last.setGradient(part(groups, groups.parameters.get(1).gradient()));
      }
      Map<String, ByteBuffer> before = groups.bytes();
      Throwable thrown = thrownBy(groups.optimizer::step, confines);
      assertEquals(fault.type, thrown.getClass(), what + ": " + thrown);
      assertTrue(thrown.getMessage().contains(fault.words), what + ": " + thrown.getMessage());
      Snapshots.assertUnchanged(before, groups.bytes(), what);
      // After the fault is repaired, the training continues.
      groups.optimizer.options().zeroGrad(false);
      if (fault == Fault.DEAD_GRADIENT) {
        last.setGradient(groups.device.allocate(last.size() * Float.BYTES, groups.good));
      } else if (fault != Fault.DEAD_DATA) {
        last.setGradient(good);
      }
      if (fault != Fault.DEAD_DATA) {
        groups.optimizer.step();
        assertEquals(stepsBefore + 1, groups.optimizer.stepCount(last), what);
      }
    }
    if (other.scope().isAlive()) {
      other.close();
    }
  }

  private static MemorySegment part(Groups groups, MemorySegment memory) {
    return groups.device.slice(memory, 400, groups.last.size() * Float.BYTES);
  }

  /// Faults of the whole optimizer: its stream, and an illegal number of threads.
  @Test
  void aFaultOfTheWholeOptimizerChangesNothing() {
    GpuTests.need(1);
    Device gpu = Device.cuda(0);
    for (boolean offloads : new boolean[] {false, true}) {
      DeviceStream stream = DeviceStream.create(gpu);
      Backend backend =
          offloads ? Backends.offload(stream, Backends.scalar()) : Backends.cuda(stream);
      Groups groups = new Groups(backend, Extras.ALL, Arena.ofShared());
      groups.optimizer.step();
      Map<String, ByteBuffer> before = groups.bytes();
      StateDict state = groups.optimizer.stateDict();
      stream.close();
      var thrown = assertThrows(IllegalStateException.class, groups.optimizer::step);
      assertEquals("the stream of cuda:0 has been closed", thrown.getMessage());
      for (Parameter each : groups.parameters) {
        byte[] data = gpu.copyOf(each.data(), each.size() * Float.BYTES).toArray(JAVA_BYTE);
        assertEquals(before.get(each.name() + " data"), ByteBuffer.wrap(data));
        assertEquals(1, groups.optimizer.stepCount(each));
      }
      assertFalse(state.parameters().isEmpty());
      groups.optimizer.close();
      groups.good.close();
    }
  }
}
