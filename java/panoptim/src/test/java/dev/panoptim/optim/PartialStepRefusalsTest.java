package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.device.Device;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A rejected step of some parameters has changed nothing, and the training goes on after it.
@Tag("gpu")
class PartialStepRefusalsTest {
  private static final int SIZE = 33;
  private static final long BYTES = SIZE * Float.BYTES;

  /// A training of three parameters in two groups.
  private static final class Trained implements AutoCloseable {
    final Arena good = Arena.ofShared();
    final Device device;
    final List<Parameter> all = new ArrayList<>();
    final Parameter a;
    final Parameter b;
    final Parameter frozen;
    final Optimizer optimizer;

    Trained(Backend backend, Arena ofData) {
      device = backend.device();
      a = add("a", good);
      b = add("b", ofData);
      frozen = add("frozen", good);
      frozen.removeGradient();
      optimizer =
          AdamW.builder(List.of(a, frozen))
              .group(List.of(b), Map.of())
              .averageParameters(0.9)
              .halfPrecisionCopy(HalfPrecision.BFLOAT16)
              .backend(backend)
              .build();
    }

    private Parameter add(String name, Arena ofData) {
      // The data begin 4 bytes behind the start of the memory.
      MemorySegment data = device.slice(device.allocate(BYTES + 4, ofData), 4, BYTES);
      Parameter made = Parameter.onDevice(device, name, SIZE, data);
      made.setGradient(device.allocate(BYTES, good));
      device.fill(made.data(), SIZE, 0.5f);
      device.fill(made.gradient(), SIZE, 0.25f);
      all.add(made);
      return made;
    }

    /// All bytes that a step could change and that this thread can read.
    Map<String, ByteBuffer> bytes() {
      Map<String, ByteBuffer> bytes = new LinkedHashMap<>();
      optimizer.await();
      for (Parameter each : all) {
        String name = each.name();
        long steps = optimizer.stepCount(each);
        bytes.put(name + " steps", ByteBuffer.allocate(8).putLong(steps).flip());
        add(bytes, name + " data", each.data(), BYTES);
        add(bytes, name + " gradient", each.gradientOrNull(), BYTES);
        if (steps > 0) {
          add(bytes, name + " copy", optimizer.halfPrecisionCopy(each), BYTES / 2);
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
                              bytes.put(
                                  name + " " + kind, ByteBuffer.wrap(bits.toArray(JAVA_BYTE)))));
      return bytes;
    }

    private void add(Map<String, ByteBuffer> bytes, String name, MemorySegment memory, long size) {
      if (memory != null
          && memory.scope().isAlive()
          && memory.isAccessibleBy(Thread.currentThread())) {
        bytes.put(name, ByteBuffer.wrap(device.copyOf(memory, size).toArray(JAVA_BYTE)));
      }
    }

    @Override
    public void close() {
      optimizer.close();
      good.close();
    }
  }

  /// A fault of parameter `b` or its gradient.
  enum Fault {
    DEAD_DATA(IllegalStateException.class, "data of 'b' lies in an arena that has been closed"),
    DEAD_GRADIENT(
        IllegalStateException.class, "gradient of 'b' lies in an arena that has been closed"),
    CONFINED_GRADIENT(WrongThreadException.class, "gradient of 'b' lies in an arena that is conf"),
    READ_ONLY_GRADIENT_TO_BE_ZEROED(IllegalArgumentException.class, "gradient of 'b' is read-only"),
    GRADIENT_IN_OTHER_DATA(
        IllegalArgumentException.class, "data of 'a' and gradient of 'b' share 132 bytes"),
    GRADIENT_IN_DATA_WITHOUT_GRADIENT(
        IllegalArgumentException.class, "gradient of 'b' and data of 'frozen' share 128 bytes"),
    GRADIENT_IN_THE_GRADIENT_OF_THE_SAME_STEP(IllegalArgumentException.class, "share 132 bytes");

    final Class<? extends RuntimeException> type;
    final String words;

    Fault(Class<? extends RuntimeException> type, String words) {
      this.type = type;
      this.words = words;
    }
  }

  @ParameterizedTest
  @EnumSource
  void aFaultOfOneParameterChangesNothing(Fault fault) throws Exception {
    for (Backend backend : WholeStepTest.backends()) {
      for (int stepsBefore : new int[] {0, 2}) {
        for (boolean together : new boolean[] {true, false}) {
          boolean needsBoth = fault == Fault.GRADIENT_IN_THE_GRADIENT_OF_THE_SAME_STEP;
          if (together || !needsBoth) {
            refused(fault, backend, stepsBefore, together);
          }
        }
      }
    }
  }

  private static void refused(Fault fault, Backend backend, int stepsBefore, boolean together)
      throws Exception {
    String what = fault + " on " + backend + " after " + stepsBefore + ", together: " + together;
    boolean confines = fault == Fault.CONFINED_GRADIENT;
    Arena other = confines ? Arena.ofConfined() : Arena.ofShared();
    try (Arena safe = Arena.ofShared();
        Trained trained = new Trained(backend, fault == Fault.DEAD_DATA ? other : safe)) {
      Parameter b = trained.b;
      MemorySegment good = b.gradient();
      if (fault == Fault.DEAD_GRADIENT || confines) {
        b.setGradient(trained.device.allocate(BYTES, other));
      }
      Parameter[] chosen = together ? new Parameter[] {trained.a, b} : new Parameter[] {trained.b};
      for (int i = 0; i < stepsBefore; i++) {
        trained.optimizer.step(chosen);
      }
      switch (fault) {
        case DEAD_DATA, DEAD_GRADIENT -> other.close();
        case CONFINED_GRADIENT -> {}
        case READ_ONLY_GRADIENT_TO_BE_ZEROED -> {
          b.setGradient(good.asReadOnly());
          trained.optimizer.options().zeroGrad(true);
        }
        case GRADIENT_IN_OTHER_DATA -> b.setGradient(trained.a.data());
        case GRADIENT_IN_DATA_WITHOUT_GRADIENT -> {
          MemorySegment inside = MemorySegment.ofAddress(trained.frozen.data().address() - 4);
          b.setGradient(backend.device().isCpu() ? inside.reinterpret(BYTES) : inside);
        }
        case GRADIENT_IN_THE_GRADIENT_OF_THE_SAME_STEP -> b.setGradient(trained.a.gradient());
      }
      Map<String, ByteBuffer> before = trained.bytes();
      Throwable thrown = thrownBy(() -> trained.optimizer.step(chosen), confines);
      assertEquals(fault.type, thrown.getClass(), what + ": " + thrown);
      assertTrue(thrown.getMessage().contains(fault.words), what + ": " + thrown.getMessage());
      Snapshots.assertUnchanged(before, trained.bytes(), what);
      // After the fault is repaired, the training goes on.
      trained.optimizer.options().zeroGrad(false);
      if (fault != Fault.DEAD_DATA) {
        b.setGradient(good);
        trained.optimizer.step(chosen);
        assertEquals(stepsBefore + 1, trained.optimizer.stepCount(b), what);
      }
      trained.optimizer.step(trained.a);
    }
    if (other.scope().isAlive()) {
      other.close();
    }
  }

  private static Throwable thrownBy(Runnable step, boolean onAnotherThread) {
    if (!onAnotherThread) {
      return assertThrows(RuntimeException.class, step::run);
    }
    var future = CompletableFuture.runAsync(step);
    return assertThrows(ExecutionException.class, future::get).getCause();
  }

  private static void refused(
      Trained trained, Class<? extends Throwable> type, String words, Parameter... chosen) {
    Map<String, ByteBuffer> before = trained.bytes();
    List<String> hooks = new ArrayList<>();
    Runnable remove = trained.optimizer.addStepPreHook(o -> hooks.add("called"));
    Throwable thrown = assertThrows(type, () -> trained.optimizer.step(chosen));
    remove.run();
    assertEquals(words, thrown.getMessage());
    assertEquals(List.of(), hooks);
    Snapshots.assertUnchanged(before, trained.bytes(), words);
  }

  @Test
  void illegalArgumentsAreRejected() {
    for (Backend backend : WholeStepTest.backends()) {
      try (Arena arena = Arena.ofShared();
          Trained trained = new Trained(backend, arena)) {
        Parameter a = trained.a;
        Parameter stranger = Parameter.onDevice(trained.device, "a", SIZE, a.data());
        refused(trained, NullPointerException.class, "parameters is null", (Parameter[]) null);
        refused(
            trained,
            NullPointerException.class,
            "parameters[1] is null, but must be a parameter",
            a,
            null);
        refused(
            trained,
            IllegalArgumentException.class,
            "there is no parameter, but a step of some parameters needs at least one",
            new Parameter[0]);
        refused(
            trained,
            IllegalArgumentException.class,
            "parameter 'a' is given twice",
            a,
            trained.b,
            a);
        refused(
            trained,
            IllegalArgumentException.class,
            stranger + " is not a parameter of this optimizer",
            trained.b,
            stranger);
        trained.optimizer.step(a);
        trained.optimizer.options().clipGradNorm(0.5);
        refused(
            trained,
            IllegalStateException.class,
            "clipGradNorm is 0.5, but a step of some parameters cannot clip to the norm of all"
                + " gradients",
            a);
        trained.optimizer.options().clipGradNorm(Double.POSITIVE_INFINITY).skipNonFinite(true);
        refused(
            trained,
            IllegalStateException.class,
            "skipNonFinite is set, but a step of some parameters does not know whether the"
                + " gradients of all parameters are finite",
            a);
        trained.optimizer.options().skipNonFinite(false);
        trained.optimizer.step(a);
        assertEquals(2, trained.optimizer.stepCount(a));
      }
    }
  }

  /// A hook may change options, also those that a step of some parameters rejects.
  @Test
  void anOptionThatAHookSetsIsRejectedToo() {
    try (Arena arena = Arena.ofShared();
        Trained trained = new Trained(WholeStepTest.backends().getFirst(), arena)) {
      Runnable remove = trained.optimizer.addStepPreHook(o -> o.options().clipGradNorm(1));
      Map<String, ByteBuffer> before = trained.bytes();
      assertThrows(IllegalStateException.class, () -> trained.optimizer.step(trained.a));
      Snapshots.assertUnchanged(before, trained.bytes(), "a hook");
      remove.run();
      trained.optimizer.step();
      assertEquals(1, trained.optimizer.stepCount(trained.a));
    }
  }

  @Test
  void aClosedOptimizerMakesNoStep() {
    try (Arena arena = Arena.ofShared();
        Trained trained = new Trained(WholeStepTest.backends().getFirst(), arena)) {
      trained.optimizer.step(trained.a);
      trained.optimizer.close();
      var e = assertThrows(IllegalStateException.class, () -> trained.optimizer.step(trained.a));
      assertEquals("the optimizer has been closed", e.getMessage());
    }
  }

  /// A known gradient is also rejected if it lies in the data of a parameter that is added later.
  @Test
  void aGradientInDataThatAreAddedIsRejected() {
    try (Arena arena = Arena.ofShared();
        Trained trained = new Trained(WholeStepTest.backends().getFirst(), arena)) {
      trained.optimizer.step(trained.a);
      Parameter added = Parameter.of("added", SIZE, trained.a.gradient());
      trained.optimizer.addParamGroup(List.of(added), Map.of());
      Map<String, ByteBuffer> before = trained.bytes();
      var e = assertThrows(IllegalArgumentException.class, () -> trained.optimizer.step(trained.a));
      assertTrue(e.getMessage().contains("data of 'added' and gradient of 'a' share"));
      Snapshots.assertUnchanged(before, trained.bytes(), "an added parameter");
    }
  }
}
