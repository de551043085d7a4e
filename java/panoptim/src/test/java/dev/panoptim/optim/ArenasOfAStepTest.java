package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// One group with parameters in different numbers of arenas. Native calls name each arena. A step
/// is rejected if one of the arenas has been closed or is confined to another thread.
class ArenasOfAStepTest {
  private static final int SIZE = 9;
  private static final long BYTES = SIZE * Float.BYTES;

  /// A group with an arena for each parameter, and its optimizer.
  private static final class Group implements AutoCloseable {
    final List<Arena> arenas = new ArrayList<>();
    final List<Parameter> parameters = new ArrayList<>();
    final Optimizer optimizer;

    Group(
        int count,
        int confined,
        Function<Iterable<Parameter>, OptimizerBuilder<?>> preset,
        Backend backend) {
      for (int i = 0; i < count; i++) {
        Arena arena = i == confined ? Arena.ofConfined() : Arena.ofShared();
        arenas.add(arena);
        MemorySegment data = arena.allocate(BYTES, 4);
        MemorySegment gradient = arena.allocate(BYTES, 4);
        for (int k = 0; k < SIZE; k++) {
          data.setAtIndex(JAVA_FLOAT, k, i + k * 0.1f);
          gradient.setAtIndex(JAVA_FLOAT, k, k - i * 0.3f);
        }
        parameters.add(Parameter.of("p" + i, SIZE, data, gradient));
      }
      optimizer = preset.apply(parameters).backend(backend).build();
    }

    /// Data, gradients and states of all parameters that are alive.
    List<byte[]> bytes() {
      List<byte[]> all = new ArrayList<>();
      for (Parameter each : parameters) {
        if (each.data().scope().isAlive()) {
          all.add(each.data().toArray(JAVA_BYTE));
          all.add(each.gradient().toArray(JAVA_BYTE));
        }
        optimizer.state(each).values().forEach(state -> all.add(state.toArray(JAVA_BYTE)));
      }
      return all;
    }

    @Override
    public void close() {
      optimizer.close();
      for (Arena each : arenas) {
        if (each.scope().isAlive()) {
          each.close();
        }
      }
    }
  }

  private static void assertSame(List<byte[]> expected, List<byte[]> actual, String what) {
    assertEquals(expected.size(), actual.size(), what);
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), actual.get(i), what);
    }
  }

  private static List<Function<Iterable<Parameter>, OptimizerBuilder<?>>> presets() {
    return List.of(
        Sgd::builder,
        AdamW::builder,
        p -> AdamW.builder(p).options(o -> o.zeroGrad(true)),
        p -> AdamW.builder(p).averageParameters(0.9).options(o -> o.clipGradNorm(1)));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 8, 9, 17})
  void stepsReachTheSameBits(int count) {
    for (var preset : presets()) {
      try (Group scalar = new Group(count, -1, preset, Backends.scalar());
          Group code = new Group(count, -1, preset, Backends.nativeCode())) {
        for (int step = 0; step < 3; step++) {
          scalar.optimizer.step();
          code.optimizer.step();
          assertSame(scalar.bytes(), code.bytes(), count + " arenas, step " + step);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 8, 9, 17})
  void aClosedArenaIsNamedAndNothingChanges(int count) {
    for (var preset : presets()) {
      for (int stepsBefore : new int[] {0, 2}) {
        for (int dead : new int[] {0, count / 2, count - 1}) {
          try (Group group = new Group(count, -1, preset, Backends.nativeCode())) {
            for (int i = 0; i < stepsBefore; i++) {
              group.optimizer.step();
            }
            group.arenas.get(dead).close();
            List<byte[]> before = group.bytes();
            var thrown = assertThrows(IllegalStateException.class, group.optimizer::step);
            assertEquals(
                "data of 'p" + dead + "' lies in an arena that has been closed, but must be alive",
                thrown.getMessage());
            assertSame(before, group.bytes(), "p" + dead + " of " + count);
            for (Parameter each : group.parameters) {
              assertEquals(stepsBefore, group.optimizer.stepCount(each));
            }
          }
        }
      }
    }
  }

  /// Half of the rejected steps would have been the first ones to set gradients to 0.
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 9})
  void aConfinedArenaIsNamedAndNothingChanges(int count) throws Exception {
    for (var preset : presets()) {
      for (boolean zeroes : new boolean[] {false, true}) {
        int confined = count - 1;
        try (Group group = new Group(count, confined, preset, Backends.nativeCode())) {
          group.optimizer.step();
          group.optimizer.options().zeroGrad(zeroes);
          List<byte[]> before = group.bytes();
          var future = CompletableFuture.runAsync(group.optimizer::step);
          Throwable thrown = assertThrows(ExecutionException.class, future::get).getCause();
          assertEquals(WrongThreadException.class, thrown.getClass(), thrown::toString);
          String words = "data of 'p" + confined + "' lies in an arena that is confined";
          assertTrue(thrown.getMessage().startsWith(words), thrown::getMessage);
          assertSame(before, group.bytes(), count + " arenas");
          assertEquals(1, group.optimizer.stepCount(group.parameters.getFirst()));
          group.optimizer.step();
          assertEquals(2, group.optimizer.stepCount(group.parameters.getFirst()));
        }
      }
    }
  }
}
