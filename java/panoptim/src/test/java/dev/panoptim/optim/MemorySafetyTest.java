package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// No argument from Java can crash the process. Invalid arguments cause an exception, and no byte
/// changes.
class MemorySafetyTest {
  static List<Backend> backends() {
    return List.of(Backends.nativeCode(), Backends.vector(), Backends.scalar());
  }

  static List<Case> cases() {
    return OptimizerCases.cases();
  }

  private static void refused(
      Class<? extends RuntimeException> type, String message, Runnable action) {
    RuntimeException e = assertThrows(type, action::run);
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void heapMemoryIsRejected() {
    refused(
        IllegalArgumentException.class,
        "data of 'w' is on the Java heap, but must be off-heap",
        () -> Parameter.of("w", 2, MemorySegment.ofArray(new float[2])));
  }

  @Test
  void aWrongSizeIsRejected() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment twelve = arena.allocate(12, 4);
      refused(
          IllegalArgumentException.class,
          "data of 'w' has 12 bytes, but must have 16 for 4 elements",
          () -> Parameter.of("w", 4, twelve));
      refused(
          IllegalArgumentException.class,
          "gradient of 'w' has 8 bytes, but must have 12 for 3 elements",
          () -> Parameter.of("w", 3, twelve, arena.allocate(8, 4)));
      refused(
          IllegalArgumentException.class,
          "size of 'data of 'w'' is -1 elements",
          () -> Parameter.of("w", -1, twelve));
      // Four times this number is 12 if the product overflows.
      refused(
          IllegalArgumentException.class,
          "but must be from 0 to 2305843009213693951",
          () -> Parameter.of("w", (1L << 62) + 3, twelve));
    }
  }

  @Test
  void aMisalignedSegmentIsRejected() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment odd = arena.allocate(20, 4).asSlice(2, 8);
      refused(
          IllegalArgumentException.class,
          "but must be aligned to 4 bytes",
          () -> Parameter.of("w", 2, odd));
    }
  }

  @Test
  void readOnlyDataIsRejectedAndAReadOnlyGradientIsNot() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(8, 4);
      refused(
          IllegalArgumentException.class,
          "data of 'w' is read-only, but will be written",
          () -> Parameter.of("w", 2, data.asReadOnly()));
      Parameter p = Parameter.of("w", 2, data, arena.allocate(8, 4).asReadOnly());
      try (Optimizer optimizer = Adam.builder(List.of(p)).build()) {
        optimizer.step();
        assertEquals(1, optimizer.stepCount(p));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void overlappingStreamsAreRejected(Backend backend) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(64, 4);
      MemorySegment left = memory.asSlice(0, 16);
      MemorySegment across = memory.asSlice(12, 16);
      refused(
          IllegalArgumentException.class,
          "data of 'w' and gradient of 'w' share 4 bytes",
          () -> Parameter.of("w", 4, left, across));
      Parameter a = Parameter.of("a", 4, left, arena.allocate(16, 4));
      Parameter b = Parameter.of("b", 4, across, arena.allocate(16, 4));
      refused(
          IllegalArgumentException.class,
          "data of 'a' and data of 'b' share 4 bytes",
          () -> Adam.builder(List.of(a, b)).backend(backend).build());
      Parameter c = Parameter.of("c", 4, memory.asSlice(32, 16), across);
      try (Optimizer optimizer = Adam.builder(List.of(a, c)).backend(backend).build()) {
        byte[] before = memory.toArray(ValueLayout.JAVA_BYTE);
        refused(
            IllegalArgumentException.class,
            "data of 'a' and gradient of 'c' share 4 bytes",
            optimizer::step);
        assertArrayEquals(before, memory.toArray(ValueLayout.JAVA_BYTE));
        assertEquals(0, optimizer.stepCount(a));
        assertTrue(optimizer.state(a).isEmpty());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void memoryOfAClosedArenaIsRejected(Backend backend) {
    try (Arena open = Arena.ofConfined()) {
      Arena closed = Arena.ofShared();
      Parameter alive = Parameter.of("alive", 2, open.allocate(8, 4), open.allocate(8, 4));
      alive.gradient().setAtIndex(JAVA_FLOAT, 0, 1);
      Parameter dead = Parameter.of("dead", 2, closed.allocate(8, 4), closed.allocate(8, 4));
      try (Optimizer optimizer =
          Adam.builder(List.of(alive)).group(List.of(dead), Map.of()).backend(backend).build()) {
        optimizer.step();
        int[] before = alive.data().toArray(JAVA_INT);
        closed.close();
        refused(
            IllegalStateException.class,
            "data of 'dead' lies in an arena that has been closed",
            optimizer::step);
        assertArrayEquals(before, alive.data().toArray(JAVA_INT));
        assertEquals(1, optimizer.stepCount(alive));
      }
      refused(
          IllegalStateException.class, "has been closed", () -> Parameter.of("x", 2, dead.data()));
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void memoryThatIsConfinedToAnotherThreadIsRejected(Backend backend) throws InterruptedException {
    try (Arena arena = Arena.ofConfined()) {
      Parameter p = Parameter.of("p", 2, arena.allocate(8, 4), arena.allocate(8, 4));
      try (Optimizer optimizer = Adam.builder(List.of(p)).backend(backend).build()) {
        optimizer.step();
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread other =
            Thread.ofPlatform()
                .start(() -> thrown.set(assertThrows(WrongThreadException.class, optimizer::step)));
        other.join();
        assertTrue(
            thrown.get().getMessage().startsWith("data of 'p' lies in an arena that is confined"),
            thrown.get().getMessage());
        assertEquals(1, optimizer.stepCount(p));
      }
    }
  }

  @Test
  void confinedMemoryWorksWithManyThreadsOnEveryBackend() {
    for (Backend backend : backends()) {
      try (Arena arena = Arena.ofConfined()) {
        int size = 100_000;
        Parameter p =
            Parameter.of("p", size, arena.allocate(4L * size, 4), arena.allocate(4L * size, 4));
        try (Optimizer optimizer = Adam.builder(List.of(p)).threads(3).backend(backend).build()) {
          optimizer.step();
          assertEquals(1, optimizer.stepCount(p));
        }
      }
    }
  }

  /// The parameters are in more arenas than one native call can hold.
  @Test
  void anyNumberOfArenasIsLegal() {
    List<Arena> arenas = new ArrayList<>();
    List<Parameter> parameters = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      Arena arena = i % 2 == 0 ? Arena.ofShared() : Arena.ofConfined();
      arenas.add(arena);
      MemorySegment gradient = Arena.ofAuto().allocate(4L * i, 4);
      gradient.fill((byte) 0x3f);
      parameters.add(Parameter.of("p" + i, i, arena.allocate(4L * i, 4), gradient));
    }
    try (Optimizer optimizer = Sgd.builder(parameters).learningRate(1).build()) {
      optimizer.step();
    }
    float expected = -Float.intBitsToFloat(0x3f3f3f3f);
    for (Parameter each : parameters) {
      for (long i = 0; i < each.size(); i++) {
        assertEquals(expected, each.data().getAtIndex(JAVA_FLOAT, i));
      }
    }
    arenas.forEach(Arena::close);
  }

  /// Memory that is freed during a native step would crash the process.
  @Test
  void anArenaCannotBeClosedDuringAStep() throws InterruptedException {
    for (int attempt = 0; attempt < 20; attempt++) {
      Arena arena = Arena.ofShared();
      long size = 1 << 20;
      Parameter p =
          Parameter.of("p", size, arena.allocate(4 * size, 64), arena.allocate(4 * size, 64));
      try (Optimizer optimizer = Adam.builder(List.of(p)).threads(2).build()) {
        AtomicReference<RuntimeException> ended = new AtomicReference<>();
        Thread stepping =
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        while (true) {
                          optimizer.step();
                        }
                      } catch (IllegalStateException e) {
                        ended.set(e);
                      }
                    });
        Thread.sleep(5);
        boolean closed = false;
        while (!closed) {
          try {
            arena.close();
            closed = true;
          } catch (IllegalStateException inUse) {
            Thread.onSpinWait();
          }
        }
        stepping.join();
        assertTrue(ended.get().getMessage().contains("losed"), ended.get().getMessage());
      }
    }
  }

  /// Operands that begin or end exactly at a protected page. An access to one element too many
  /// would crash the process.
  @ParameterizedTest
  @MethodSource("cases")
  void nothingBeyondAStreamIsTouched(Case tested) throws Throwable {
    ProtectedMemory protectedMemory = new ProtectedMemory();
    for (Backend backend : backends()) {
      for (boolean atEnd : new boolean[] {true, false}) {
        for (int size : new int[] {1, 7, 8, 9, 17, 1000}) {
          try (Arena arena = Arena.ofShared()) {
            Parameter p =
                Parameter.of(
                        "p",
                        size,
                        protectedMemory.allocate(arena, size, atEnd),
                        protectedMemory.allocate(arena, size, atEnd))
                    .withShape(MatrixShapes.wide(size));
            try (Optimizer optimizer =
                tested.builder().apply(List.of(p)).backend(backend).build()) {
              optimizer.step();
              assertEquals(1, optimizer.stepCount(p));
            }
          }
        }
      }
    }
  }

  /// A page between two protected ones.
  private static final class ProtectedMemory {
    private static final long PAGE = 4096;
    private final MethodHandle mmap = find("mmap", 6);
    private final MethodHandle munmap = find("munmap", 2);
    private final MethodHandle mprotect = find("mprotect", 3);

    private static MethodHandle find(String name, int arguments) {
      ValueLayout[] types = new ValueLayout[arguments];
      Arrays.fill(types, ValueLayout.JAVA_LONG);
      Linker linker = Linker.nativeLinker();
      return linker.downcallHandle(
          linker.defaultLookup().findOrThrow(name),
          FunctionDescriptor.of(ValueLayout.JAVA_LONG, types));
    }

    MemorySegment allocate(Arena arena, int size, boolean atEnd) throws Throwable {
      long nothing = 0;
      long readAndWrite = 3;
      long privateAndAnonymous = 0x22;
      long start = (long) mmap.invokeExact(0L, 3 * PAGE, nothing, privateAndAnonymous, -1L, 0L);
      assertTrue(start > 0, "mmap");
      assertEquals(0L, (long) mprotect.invokeExact(start + PAGE, PAGE, readAndWrite));
      long bytes = 4L * size;
      long from = atEnd ? start + 2 * PAGE - bytes : start + PAGE;
      return MemorySegment.ofAddress(from).reinterpret(bytes, arena, unused -> unmap(start));
    }

    private void unmap(long start) {
      try {
        assertEquals(0L, (long) munmap.invokeExact(start, 3 * PAGE));
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }
  }
}
