package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Memory whose arena has been closed or is confined to another thread is rejected by name in every
/// copy and load, and not a byte changes.
class DeadMemoryTest {
  private static final int SIZE = 33;
  private static final long BYTES = SIZE * Float.BYTES;

  @TempDir Path folder;

  private static void refused(Class<? extends Throwable> type, String words, Runnable action) {
    Throwable thrown = assertThrows(type, action::run);
    assertTrue(thrown.getMessage().contains(words), thrown.getMessage());
  }

  /// Runs an action on a thread that no arena is confined to.
  private static void refusedElsewhere(String words, Runnable action) {
    var future = CompletableFuture.runAsync(action);
    Throwable thrown = assertThrows(ExecutionException.class, future::get).getCause();
    assertEquals(WrongThreadException.class, thrown.getClass(), thrown::toString);
    assertTrue(thrown.getMessage().contains(words), thrown.getMessage());
  }

  private static MemorySegment dead(long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      return arena.allocate(bytes, 4);
    }
  }

  private static void fill(MemorySegment memory, float value) {
    for (long i = 0; i < memory.byteSize() / Float.BYTES; i++) {
      memory.setAtIndex(JAVA_FLOAT, i, value + i);
    }
  }

  @Test
  void copiesNameTheOtherSide() {
    try (Arena arena = Arena.ofConfined();
        Parameters all = Parameters.builder().add("w", SIZE).build()) {
      Parameter p = all.get("w");
      fill(p.data(), 1);
      fill(p.gradient(), 100);
      byte[] data = p.data().toArray(JAVA_BYTE);
      byte[] gradient = p.gradient().toArray(JAVA_BYTE);
      MemorySegment confined = arena.allocate(BYTES, 4);
      MemorySegment large = arena.allocate(BYTES + 4, 4);
      MemorySegment readOnly = MemorySegment.ofArray(new float[SIZE]).asReadOnly();
      Map<String, Consumer<MemorySegment>> copies = new LinkedHashMap<>();
      copies.put("the source of a copy to the data of 'w'", p::copyDataFrom);
      copies.put("the target of a copy of the data of 'w'", p::copyDataTo);
      copies.put("the source of a copy to the gradient of 'w'", p::copyGradientFrom);
      copies.put("the target of a copy of the gradient of 'w'", p::copyGradientTo);
      copies.forEach(
          (name, copy) -> {
            refused(
                IllegalStateException.class,
                name + " lies in an arena that has been closed",
                () -> copy.accept(dead(BYTES)));
            refusedElsewhere(
                name + " lies in an arena that is confined", () -> copy.accept(confined));
            refused(
                IllegalArgumentException.class,
                name + " has 136 bytes, but must have 132",
                () -> copy.accept(large));
            refused(NullPointerException.class, name + " is null", () -> copy.accept(null));
            if (name.contains("target")) {
              refused(
                  IllegalArgumentException.class,
                  name + " is read-only, but will be written",
                  () -> copy.accept(readOnly));
            }
          });
      assertArrayEquals(data, p.data().toArray(JAVA_BYTE));
      assertArrayEquals(gradient, p.gradient().toArray(JAVA_BYTE));
      p.setGradient(p.gradient().asReadOnly());
      refused(
          IllegalArgumentException.class,
          "gradient of 'w' is read-only",
          () -> p.copyGradientFrom(MemorySegment.ofArray(new float[SIZE])));
      float[] heap = new float[SIZE];
      p.copyDataTo(MemorySegment.ofArray(heap));
      assertEquals(33, heap[32]);
    }
  }

  /// All methods that read the parameter's own memory.
  @Test
  void copiesNameTheirOwnSide() {
    Parameters all = Parameters.builder().add("w", SIZE).build();
    Parameter p = all.get("w");
    all.close();
    MemorySegment heap = MemorySegment.ofArray(new float[SIZE]);
    String data = "data of 'w' lies in an arena that has been closed";
    String gradient = "gradient of 'w' lies in an arena that has been closed";
    refused(IllegalStateException.class, data, () -> p.copyDataFrom(heap));
    refused(IllegalStateException.class, data, () -> p.copyDataTo(heap));
    refused(IllegalStateException.class, gradient, () -> p.copyGradientFrom(heap));
    refused(IllegalStateException.class, gradient, () -> p.copyGradientTo(heap));
    refused(IllegalStateException.class, gradient, () -> Gradients.clipGradNorm(all, 1));
    refused(IllegalStateException.class, gradient, () -> Gradients.clipGradValue(all, 1));
    try (Optimizer optimizer = Sgd.builder(all).build()) {
      refused(IllegalStateException.class, data, optimizer::step);
      refused(IllegalStateException.class, gradient, optimizer::zeroGrad);
    }
    try (Arena arena = Arena.ofConfined()) {
      Parameter confined =
          Parameter.of("c", SIZE, arena.allocate(BYTES, 4), arena.allocate(BYTES, 4));
      refusedElsewhere("data of 'c' lies in an arena", () -> confined.copyDataTo(heap));
      refusedElsewhere("data of 'c' lies in an arena", () -> confined.copyDataFrom(heap));
      refusedElsewhere("gradient of 'c' lies in an arena", () -> confined.copyGradientTo(heap));
      refusedElsewhere("gradient of 'c' lies in an arena", () -> confined.copyGradientFrom(heap));
      refusedElsewhere(
          "gradient of 'c' lies in an arena", () -> Gradients.clipGradNorm(List.of(confined), 1));
    }
  }

  /// The second of two parameters is invalid; the clip must not have changed the first one.
  @Test
  void aClipChangesAllGradientsOrNone() {
    try (Arena arena = Arena.ofShared()) {
      Parameter good = Parameter.of("good", SIZE, arena.allocate(BYTES, 4));
      good.setGradient(arena.allocate(BYTES, 4));
      fill(good.gradient(), 5);
      byte[] before = good.gradient().toArray(JAVA_BYTE);
      for (boolean closed : new boolean[] {true, false}) {
        Arena other = Arena.ofShared();
        Parameter bad = Parameter.of("bad", SIZE, arena.allocate(BYTES, 4));
        bad.setGradient(other.allocate(BYTES, 4));
        if (closed) {
          other.close();
        } else {
          bad.setGradient(bad.gradient().asReadOnly());
        }
        List<Parameter> both = List.of(good, bad);
        assertThrows(RuntimeException.class, () -> Gradients.clipGradNorm(both, 1));
        assertThrows(RuntimeException.class, () -> Gradients.clipGradValue(both, 1));
        try (Optimizer optimizer = Sgd.builder(both).build()) {
          assertThrows(RuntimeException.class, optimizer::zeroGrad);
        }
        assertArrayEquals(before, good.gradient().toArray(JAVA_BYTE));
      }
    }
  }

  /// The memory of one state of the last parameter.
  enum Source {
    DEAD,
    CONFINED,
    NOWHERE
  }

  /// Two parameters after a step, with 16-bit copies and averages.
  private static Optimizer trained(Iterable<Parameter> all) {
    Optimizer optimizer =
        Adam.builder(all).averageParameters(0.9).halfPrecisionCopy(HalfPrecision.FLOAT16).build();
    for (Parameter each : all) {
      fill(each.gradient(), -3);
    }
    optimizer.step();
    optimizer.step();
    return optimizer;
  }

  private static Map<String, ByteBuffer> bytes(Optimizer optimizer, Iterable<Parameter> all) {
    Map<String, ByteBuffer> bytes = new LinkedHashMap<>();
    for (Parameter each : all) {
      bytes.put(each.name(), ByteBuffer.wrap(optimizer.halfPrecisionCopy(each).toArray(JAVA_BYTE)));
      optimizer
          .state(each)
          .forEach(
              (kind, state) ->
                  bytes.put(each.name() + kind, ByteBuffer.wrap(state.toArray(JAVA_BYTE))));
      bytes.put(
          each.name() + " steps", ByteBuffer.allocate(8).putLong(optimizer.stepCount(each)).flip());
    }
    return bytes;
  }

  private static StateDict with(
      StateDict dict, String parameter, String state, UnaryOperator<MemorySegment> change) {
    Map<String, StateDict.ParameterState> changed = new LinkedHashMap<>(dict.parameters());
    StateDict.ParameterState before = changed.get(parameter);
    Map<String, MemorySegment> states = new LinkedHashMap<>(before.states());
    states.computeIfPresent(state, (kind, memory) -> change.apply(memory));
    changed.put(
        parameter,
        new StateDict.ParameterState(
            before.rule(), before.size(), 7, before.scalars(), before.hyperparameters(), states));
    return new StateDict(changed);
  }

  @ParameterizedTest
  @EnumSource
  void aStateDictIsLoadedCompletelyOrNotAtAll(Source source) {
    try (Arena arena = Arena.ofConfined();
        Parameters all = Parameters.builder().add("a", SIZE).add("b", SIZE).build();
        Optimizer optimizer = trained(all)) {
      StateDict old = optimizer.stateDict();
      optimizer.step();
      fill(all.get("a").data(), 9);
      Map<String, ByteBuffer> before = bytes(optimizer, all);
      for (String parameter : List.of("a", "b")) {
        for (String kind : List.of("firstMoment", "secondMoment", "average")) {
          StateDict bad =
              with(
                  old,
                  parameter,
                  kind,
                  memory ->
                      switch (source) {
                        case DEAD -> dead(BYTES);
                        case CONFINED -> arena.allocate(BYTES, 4);
                        case NOWHERE -> MemorySegment.ofAddress(64).reinterpret(BYTES);
                      });
          String name = "the state dict's " + kind + " of '" + parameter + "'";
          Runnable load = () -> optimizer.loadStateDict(bad);
          switch (source) {
            case DEAD -> refused(IllegalStateException.class, name + " lies in an arena", load);
            case CONFINED -> refusedElsewhere(name + " lies in an arena", load);
            case NOWHERE -> refused(IllegalArgumentException.class, name + " has 132", load);
          }
          Snapshots.assertUnchanged(before, bytes(optimizer, all), name);
        }
      }
      optimizer.loadStateDict(old);
      assertEquals(2, optimizer.stepCount(all.get("b")));
    }
  }

  /// The optimizer's own memory is the source of its states.
  @Test
  void aStateDictOfLiveMemoryIsLoadedOnlyInPlace() {
    try (Parameters all = Parameters.builder().add("a", SIZE).add("b", SIZE).build();
        Optimizer optimizer = trained(all)) {
      StateDict live = optimizer.withStateDict(state -> state);
      Map<String, ByteBuffer> before = bytes(optimizer, all);
      optimizer.loadStateDict(live);
      Snapshots.assertUnchanged(before, bytes(optimizer, all), "all");
      refused(
          IllegalArgumentException.class,
          "lies in memory of the optimizer's firstMoment of",
          () -> optimizer.loadStateDict(live, Map.of("a", "b", "b", "a")));
      Snapshots.assertUnchanged(before, bytes(optimizer, all), "all");
      StateDict copy = optimizer.stateDict();
      MemorySegment average = optimizer.average(all.get("b"));
      refused(
          IllegalArgumentException.class,
          "the state dict's firstMoment of 'a' lies in memory of the optimizer's average of 'b'",
          () -> optimizer.loadStateDict(with(copy, "a", "firstMoment", memory -> average)));
      MemorySegment shifted =
          MemorySegment.ofAddress(optimizer.state(all.get("a")).get("firstMoment").address() + 4)
              .reinterpret(BYTES);
      refused(
          IllegalArgumentException.class,
          "lies in memory of the optimizer's firstMoment of 'a'",
          () -> optimizer.loadStateDict(with(copy, "a", "firstMoment", memory -> shifted)));
      Snapshots.assertUnchanged(before, bytes(optimizer, all), "all");
      optimizer.loadStateDict(copy, Map.of("a", "b", "b", "a"));
    }
  }

  /// The 16-bit copies are made from the data.
  @Test
  void copiesInSixteenBitsAreWrittenAllOrNone() {
    try (Arena good = Arena.ofShared();
        Arena confined = Arena.ofConfined()) {
      for (boolean closes : new boolean[] {true, false}) {
        Arena other = closes ? Arena.ofShared() : confined;
        Parameter first =
            Parameter.of("first", SIZE, good.allocate(BYTES, 4), good.allocate(BYTES, 4));
        Parameter last =
            Parameter.of("last", SIZE, other.allocate(BYTES, 4), good.allocate(BYTES, 4));
        List<Parameter> all = List.of(first, last);
        try (Optimizer optimizer = trained(all)) {
          StateDict state = optimizer.stateDict();
          fill(first.data(), 77);
          Map<String, ByteBuffer> before = bytes(optimizer, all);
          String words = "data of 'last' lies in an arena";
          if (closes) {
            other.close();
            refused(IllegalStateException.class, words, optimizer::refreshHalfPrecisionCopies);
            refused(IllegalStateException.class, words, () -> optimizer.loadStateDict(state));
          } else {
            refusedElsewhere(words, optimizer::refreshHalfPrecisionCopies);
            refusedElsewhere(words, () -> optimizer.loadStateDict(state));
          }
          Snapshots.assertUnchanged(before, bytes(optimizer, all), "all");
        }
      }
    }
  }

  /// The first step, a loaded state and a shared file of states would create the copies.
  @Test
  void copiesInSixteenBitsAreNotBegunWithDeadData() {
    Arena arena = Arena.ofShared();
    Parameter p = Parameter.of("p", SIZE, arena.allocate(BYTES, 4));
    try (Arena gradients = Arena.ofShared();
        Parameters others = Parameters.builder().add("p", SIZE).build();
        Optimizer from = trained(others);
        Optimizer optimizer =
            Adam.builder(List.of(p))
                .averageParameters(0.9)
                .halfPrecisionCopy(HalfPrecision.FLOAT16)
                .build()) {
      p.setGradient(gradients.allocate(BYTES, 4));
      StateDict state = from.stateDict();
      arena.close();
      String words = "data of 'p' lies in an arena that has been closed";
      refused(IllegalStateException.class, words, optimizer::step);
      refused(IllegalStateException.class, words, () -> optimizer.loadStateDict(state));
      assertTrue(optimizer.state(p).isEmpty());
      Path file = folder.resolve("states");
      refused(
          IllegalStateException.class,
          words,
          () ->
              Adam.builder(List.of(p))
                  .halfPrecisionCopy(HalfPrecision.FLOAT16)
                  .sharedStates(file)
                  .build());
      assertFalse(Files.exists(file));
    }
  }
}
