package dev.panoptim.internal.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Memory of an arena is counted and freed with the arena, or when its arena becomes unreachable,
/// but never while a segment is reachable.
class OwnedArenaTest {
  private static final Origin HERE = Origin.here("a test");
  private static final long[] SIZES = {1, 64, 1000, 5000, 300_000, 3 << 20};

  /// The kind that no other test of this process allocates.
  private static final MemoryKind KIND = MemoryKind.PUBLICATIONS;

  private static OwnedArena arena() {
    return OwnedArena.of(KIND, HERE);
  }

  @Test
  void memoryIsZeroedAlignedAndCounted() {
    long before = MemoryBudget.held(KIND);
    long bytes = 0;
    try (OwnedArena arena = arena()) {
      for (long size : SIZES) {
        for (long alignment = 1; alignment <= 4096; alignment *= 4) {
          MemorySegment memory = arena.allocate(size, alignment);
          assertEquals(size, memory.byteSize());
          assertEquals(0, memory.address() % alignment, "alignment " + alignment);
          assertEquals(-1, memory.mismatch(MemorySegment.ofArray(new byte[(int) size])));
          memory.fill((byte) 1);
          bytes += size;
        }
      }
      assertEquals(before + bytes, MemoryBudget.held(KIND));
    }
    assertEquals(before, MemoryBudget.held(KIND));
  }

  @Test
  void kindsShareTheBytes() {
    long publications = MemoryBudget.held(KIND);
    long copies = MemoryBudget.held(MemoryKind.COPIES);
    try (OwnedArena arena = arena()) {
      arena.allocate(11, 1, KIND, MemoryKind.COPIES, KIND);
      // The remainder of the division goes to the first kind.
      assertEquals(publications + 5 + 3, MemoryBudget.held(KIND));
      assertEquals(copies + 3, MemoryBudget.held(MemoryKind.COPIES));
    }
    assertEquals(publications, MemoryBudget.held(KIND));
    assertEquals(copies, MemoryBudget.held(MemoryKind.COPIES));
  }

  @Test
  void nothingIsLeftAfterClose() {
    OwnedArena arena = arena();
    MemorySegment memory = arena.allocate(100, 8);
    arena.close();
    arena.close();
    assertFalse(memory.scope().isAlive());
    assertFalse(arena.isOpen());
    assertThrows(IllegalStateException.class, () -> memory.get(JAVA_BYTE, 0));
    assertThrows(IllegalStateException.class, () -> arena.allocate(1, 1));
  }

  @Test
  void anArenaThatIsNeverUsedHasNoScope() {
    OwnedArena arena = arena();
    arena.close();
    assertThrows(IllegalStateException.class, arena::scope);
  }

  @Test
  void adoptedMemoryIsReleasedOnceInReverseOrder() {
    List<Integer> released = new ArrayList<>();
    OwnedArena arena = arena();
    for (int i = 0; i < 3; i++) {
      int number = i;
      MemorySegment adopted =
          arena.adopt(
              MemorySegment.ofAddress(4096),
              0,
              5,
              () -> released.add(number),
              CleaningAction.NOTHING);
      assertEquals(arena.scope(), adopted.scope());
    }
    arena.close();
    arena.close();
    assertEquals(List.of(2, 1, 0), released);
  }

  @Test
  void aFailingReleaseDoesNotPreventTheOthers() {
    for (Throwable first : List.of(new IllegalStateException("a"), new InternalError("b"))) {
      long before = MemoryBudget.held(KIND);
      AtomicInteger released = new AtomicInteger();
      Error second = new LinkageError("c");
      OwnedArena arena = arena();
      arena.allocate(1000, 8);
      adopt(arena, released::incrementAndGet);
      // Memory is released in reverse order.
      adopt(arena, failing(second));
      adopt(arena, failing(first));
      adopt(arena, released::incrementAndGet);
      assertSame(first, assertThrows(Throwable.class, arena::close));
      assertArrayEquals(new Throwable[] {second}, first.getSuppressed());
      assertEquals(2, released.get());
      assertEquals(before, MemoryBudget.held(KIND));
      arena.close();
      assertEquals(2, released.get());
    }
  }

  @Test
  void bothActionsRunAndTheFirstFailureIsThrown() {
    Error first = new InternalError("a");
    RuntimeException second = new IllegalStateException("b");
    Runnable both = OwnedArena.both(failing(first), failing(second));
    assertSame(first, assertThrows(Error.class, both::run));
    assertArrayEquals(new Throwable[] {second}, first.getSuppressed());
  }

  private static void adopt(OwnedArena arena, Runnable release) {
    arena.adopt(MemorySegment.NULL, 0, 0, release, CleaningAction.NOTHING);
  }

  private static Runnable failing(Throwable failure) {
    return () -> {
      if (failure instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) failure;
    };
  }

  /// All kinds of objects that refer to a segment's memory.
  private static Map<String, Function<MemorySegment, Object>> holds() {
    Map<String, Function<MemorySegment, Object>> all = new TreeMap<>();
    all.put("segment", memory -> memory);
    all.put("slice", memory -> memory.asSlice(8, 4));
    all.put("empty slice", memory -> memory.asSlice(16, 0));
    all.put("read-only view", MemorySegment::asReadOnly);
    all.put("reinterpreted", memory -> memory.reinterpret(8));
    all.put("slice of a view", memory -> memory.asReadOnly().asSlice(8).asSlice(4));
    all.put("byte buffer", MemorySegment::asByteBuffer);
    all.put("float buffer", memory -> memory.asByteBuffer().asFloatBuffer());
    all.put("segment of a buffer", memory -> MemorySegment.ofBuffer(memory.asByteBuffer()));
    all.put("scope", MemorySegment::scope);
    all.put("elements", memory -> memory.elements(java.lang.foreign.ValueLayout.JAVA_FLOAT));
    return all;
  }

  @Test
  void reachableMemoryIsNotFreed() throws InterruptedException {
    long before = MemoryBudget.held(KIND);
    Map<String, Object> held = new TreeMap<>();
    holds().forEach((name, hold) -> held.put(name, hold.apply(filled())));
    long all = held.size() * 1000L;
    assertEquals(before + all, MemoryBudget.held(KIND));
    Collected.collect();
    assertEquals(before + all, MemoryBudget.held(KIND));
    assertEquals(7, ((MemorySegment) held.get("slice of a view")).get(JAVA_BYTE, 5));
    assertEquals(7, ((ByteBuffer) held.get("byte buffer")).get(999));
    // The references are dropped one after the other.
    for (String name : List.copyOf(held.keySet())) {
      held.remove(name);
      long left = before + held.size() * 1000L;
      Collected.await(name + " is freed", () -> MemoryBudget.held(KIND) == left);
    }
  }

  private static MemorySegment filled() {
    return arena().allocate(1000, 8).fill((byte) 7);
  }

  @Test
  void unreachableMemoryIsReleasedOnceAndCounted() throws InterruptedException {
    AtomicInteger released = new AtomicInteger();
    long count = Forgotten.count();
    long bytes = Forgotten.bytes();
    forget(released);
    Collected.await("all are released", () -> released.get() == 100);
    Collected.collect();
    assertEquals(100, released.get());
    assertTrue(Forgotten.count() >= count + 100);
    assertTrue(Forgotten.bytes() >= bytes + 100 * 5000);
  }

  private static void forget(AtomicInteger released) {
    for (int i = 0; i < 100; i++) {
      OwnedArena arena = arena();
      arena.allocate(4000, 8);
      arena.adopt(
          MemorySegment.ofAddress(4096),
          0,
          1000,
          released::incrementAndGet,
          CleaningAction.NOTHING);
    }
  }

  @Test
  void aMappingEndsWithItsArenaOrByGarbageCollection(@TempDir Path folder) throws Exception {
    Path file = Files.write(folder.resolve("mapped"), new byte[10_000]);
    long before = MemoryBudget.mapped();
    OwnedArena arena = arena();
    map(arena, file);
    assertEquals(before + 10_000, MemoryBudget.mapped());
    assertEquals(1, mappings(file));
    arena.close();
    assertEquals(before, MemoryBudget.mapped());
    assertEquals(0, mappings(file));

    map(arena(), file);
    Collected.await("the mapping ends", () -> MemoryBudget.mapped() == before);
    assertEquals(0, mappings(file));
  }

  private static void map(OwnedArena arena, Path file) throws java.io.IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      arena.watchMapping(channel.map(FileChannel.MapMode.READ_WRITE, 0, 10_000, arena));
    }
  }

  /// The number of mappings of a file. On other systems than Linux it is 1 if any file is mapped.
  private static long mappings(Path file) throws java.io.IOException {
    Path maps = Path.of("/proc/self/maps");
    String name = file.toRealPath().toString();
    return Files.exists(maps)
        ? Files.readAllLines(maps).stream().filter(line -> line.endsWith(name)).count()
        : MemoryBudget.mapped() > 0 ? 1 : 0;
  }

  @Test
  void collectedMemoryIsCountedWhileItIsReachable() throws InterruptedException {
    long before = MemoryBudget.held(KIND);
    MemorySegment[] memory = {new CollectedMemory(KIND).allocate(3 << 20, 64)};
    assertEquals(-1, memory[0].mismatch(MemorySegment.ofArray(new byte[3 << 20])));
    Collected.collect();
    assertEquals(before + (3 << 20), MemoryBudget.held(KIND));
    memory[0] = null;
    Collected.await("it is freed", () -> MemoryBudget.held(KIND) == before);
  }
}
